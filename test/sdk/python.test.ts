import t, { type Test } from 'tap'
import { startPython } from '../helpers/python.ts'
import { startStack } from '../helpers/stack.ts'
import { CLIENT_KEY, MOCK, manifests, UPSTREAMS, type Upstream } from './upstreams.ts'

const REQUIREMENTS = [
  'openai==3.52.0',
  'anthropic==2.11.0',
  'google-genai==3.4.0',
  'ollama==0.6.3',
  'langchain-openai==1.7.3',
]
/** It wants an older `openai` than the others. */
const INSTRUCTOR = ['instructor==1.17.0', 'openai==3.3.0']
const ALL: readonly Upstream[] = [...UPSTREAMS, MOCK]
const A4 = [0.53125, -0.875, -0.296875, 0.28125]
const B4 = [0.546875, -0.859375, -0.28125, 0.296875]
const MODELS = ['anthropic-chat', 'claude-haiku-4-5', 'gpt-4o-mini', 'openai-chat', 'openai-embed']

/** The words of one client for what all of them are asked. */
interface Expected {
  readonly stop: string
  readonly tools: unknown
  readonly embeddings?: unknown
  readonly extra?: (greeting: string) => Readonly<Record<string, unknown>>
}

const PARALLEL = [
  ['get_weather', { city: 'Paris' }],
  ['get_time', { city: 'London' }],
]
const RESULTS = 'Tool results: get_weather of Paris | get_time of London'

function expectedOf({ label, model, embeddingModel }: Upstream, words: Expected): Record<string, unknown> {
  const greeting = `Hello from ${label} ${model}.`
  return {
    text: [greeting, words.stop, 11, 7],
    stream: [greeting, words.stop, 11, 7],
    tools: words.tools,
    person: { name: 'x', age: 1 },
    ...(words.extra?.(greeting) ?? { image: `${greeting} image seen` }),
    ...(embeddingModel === undefined || words.embeddings === undefined ? {} : { embeddings: words.embeddings }),
  }
}

function checkUpstreams(t: Test, results: unknown, words: (upstream: Upstream) => Expected): void {
  // A program of this folder printed it; a wrong shape fails the comparison.
  const { upstreams } = results as { upstreams: Readonly<Record<string, unknown>> }
  for (const upstream of ALL)
    t.strictSame(upstreams[upstream.name], expectedOf(upstream, words(upstream)), upstream.name)
}

// The first run installs the packages.
t.setTimeout(600_000)
const python = await startPython(t, REQUIREMENTS)

if (python !== undefined) {
  const stack = await startStack(t, manifests(ALL, ['429r30', 'toolong', 'errorevent']))
  const few = await startStack(t, manifests(UPSTREAMS.slice(0, 2)))
  const names = ALL.map(({ name }) => name)
  const run = (program: string): Promise<unknown> => python(program, [stack.url, CLIENT_KEY, ...names])

  t.test('R14.1 openai', async (t) => {
    const results = await run('openai_client.py')
    checkUpstreams(t, results, () => ({
      stop: 'stop',
      tools: [PARALLEL, 'tool_calls', RESULTS],
      embeddings: [[A4, B4], A4],
      extra: (greeting) => ({
        image: `${greeting} image seen`,
        responses: [greeting, greeting, 'completed', 18],
      }),
    }))
    t.match(results, {
      errors: { 'wrong key': 401, 'unknown model': 404, limited: 429, 'too long': 400, 'broken stream': 'APIError' },
    })
  })

  t.test('R14.1 anthropic', async (t) => {
    const results = await run('anthropic_client.py')
    checkUpstreams(t, results, () => ({ stop: 'end_turn', tools: [PARALLEL, 'tool_use', RESULTS] }))
    t.match(results, {
      count: 11,
      errors: { 'wrong key': 401, 'unknown model': 404, limited: 429, 'too long': 400 },
    })
  })

  t.test('R14.1 google-genai', async (t) => {
    const results = await run('google_client.py')
    checkUpstreams(t, results, ({ name }) => ({
      stop: 'STOP',
      // The function's text goes out as {"result": …}: other formats than Gemini's show the object.
      tools: [
        ['Paris'],
        name === 'google' || name === 'mock'
          ? 'Tool results: get_weather of Paris'
          : 'Tool results: {"result":"get_weather of Paris"}',
      ],
      embeddings: [A4, B4],
    }))
    t.match(results, {
      async: 'Hello from gemini gemini-2.5-flash.',
      count: 11,
      errors: { 'wrong key': 401, 'unknown model': 404, limited: 429, 'too long': 400 },
    })
  })

  t.test('R14.1 ollama', async (t) => {
    const results = await run('ollama_client.py')
    checkUpstreams(t, results, () => ({ stop: 'stop', tools: [PARALLEL, 'stop', RESULTS], embeddings: [A4, B4] }))
    t.match(results, {
      errors: { 'wrong key': 401, 'unknown model': 404, limited: 429, 'too long': 400, 'broken stream': -1 },
    })
  })

  t.test('R14.1 langchain-openai', async (t) => {
    const results = await run('langchain_client.py')
    checkUpstreams(t, results, () => ({
      stop: 'stop',
      tools: [PARALLEL, 'tool_calls', RESULTS],
      embeddings: [A4, B4],
      extra: () => ({}),
    }))
    t.match(results, { errors: { 'wrong key': 401, 'unknown model': 404, limited: 429, 'broken stream': 'APIError' } })
  })

  t.test('R14.1 instructor: forced tools and JSON schemas', async (t) => {
    const instructor = await startPython(t, INSTRUCTOR)
    const results = await instructor?.('instructor_client.py', [stack.url, CLIENT_KEY, ...names])
    const person = { name: 'x', age: 1 }
    const both = { TOOLS: person, JSON_SCHEMA: person }
    const expected = Object.fromEntries(names.map((name) => [name, both]))
    // Ollama knows no `tool_choice`: nothing forces its model to call the tool.
    t.strictSame(results, { ...expected, ollama: { ...both, TOOLS: 'InstructorRetryException' } })
  })

  t.test('R1.8 model lists', async (t) => {
    const list = (program: string): Promise<unknown> => python(program, [few.url, CLIENT_KEY])
    t.strictSame(await list('openai_client.py'), MODELS)
    t.strictSame(await list('anthropic_client.py'), MODELS)
    t.strictSame(await list('ollama_client.py'), MODELS)
    t.strictSame(
      await list('google_client.py'),
      MODELS.map((name) => `models/${name}`),
    )
  })

  t.test('S4 no provider saw the key of the client', async (t) => {
    const requests = [...stack.simulator.requests(), ...few.simulator.requests()]
    t.ok(requests.length > 100)
    const leaks = requests.filter(({ path, rawHeaders, body }) =>
      [path, ...rawHeaders, Buffer.from(body).toString()].some((text) => text.includes(CLIENT_KEY)),
    )
    t.strictSame(leaks, [])
  })
}

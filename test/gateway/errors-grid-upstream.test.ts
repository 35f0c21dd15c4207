import OpenAI from 'openai'
import t, { type Test } from 'tap'
import { type Rig, startRig } from '../helpers/gateway-rig.ts'
import { accounts } from '../helpers/stack.ts'

/** How a provider fails, by provider, as the simulator plays it in the provider's own words. */
type Play = Parameters<Rig['simulator']['script']>[0]['script']

const PROVIDERS = {
  OpenAI: { path: '/v1', model: 'gpt-4o' },
  Anthropic: { path: '', model: 'claude-haiku-4-5' },
  Gemini: { path: '', model: 'gemini-2.5-flash' },
  Ollama: { path: '', model: 'llama3' },
} as const
type ProviderName = keyof typeof PROVIDERS
// The keys of the record.
const NAMES = Object.keys(PROVIDERS) as ProviderName[]

interface Row {
  readonly title: string
  readonly play: Play
  readonly only?: readonly ProviderName[]
  /** Status and words towards clients of OpenAI, Anthropic and Gemini. */
  readonly clients: readonly [string, string, string]
  readonly code: string
  readonly health: string
  /** Calls to the provider for one request: whether the account is asked again. Absent: an idle connection that was ended adds one. */
  readonly attempts?: number
}

/** The last raw body of a provider whose words the simulator does not have. */
const raw = (status: number, body: object): Play => [
  { status, headers: { 'content-type': 'application/json' } },
  { write: JSON.stringify(body) },
  { end: true },
]

const RATE_LIMITED = [
  '429 rate_limit_error/rate_limit_exceeded',
  '429 rate_limit_error',
  '429 RESOURCE_EXHAUSTED',
] as const
const QUOTA = ['429 insufficient_quota/insufficient_quota', '429 rate_limit_error', '429 RESOURCE_EXHAUSTED'] as const
const OVERLOADED = ['503 server_error/server_overloaded', '529 overloaded_error', '503 UNAVAILABLE'] as const
const UPSTREAM = ['502 server_error/upstream_error', '502 api_error', '502 UNAVAILABLE'] as const
const INVALID = ['400 invalid_request_error/null', '400 invalid_request_error', '400 INVALID_ARGUMENT'] as const
const TOO_LONG = [
  '400 invalid_request_error/context_length_exceeded',
  '400 invalid_request_error',
  '400 INVALID_ARGUMENT',
] as const
const BLOCKED = [
  '400 invalid_request_error/content_policy_violation',
  '400 invalid_request_error',
  '400 INVALID_ARGUMENT',
] as const
const NOT_FOUND = ['404 invalid_request_error/model_not_found', '404 not_found_error', '404 NOT_FOUND'] as const

const ROWS: readonly Row[] = [
  {
    title: 'rate limit',
    play: { failure: { kind: 'rate_limited', retryAfterS: 30 } },
    only: ['OpenAI', 'Anthropic', 'Gemini'],
    clients: RATE_LIMITED,
    code: 'KP-PROV-110',
    health: 'rate_limited',
    attempts: 1,
  },
  {
    title: 'quota',
    play: { failure: { kind: 'quota' } },
    only: ['OpenAI', 'Anthropic', 'Gemini'],
    clients: QUOTA,
    code: 'KP-PROV-108',
    health: 'rate_limited quota',
    attempts: 1,
  },
  {
    title: 'payment required',
    play: { failure: { kind: 'payment_required' } },
    clients: QUOTA,
    code: 'KP-PROV-108',
    health: 'rate_limited quota',
    attempts: 1,
  },
  {
    title: 'no capacity',
    play: { failure: { kind: 'unavailable', retryAfterS: 30 } },
    clients: OVERLOADED,
    code: 'KP-PROV-107',
    health: 'rate_limited',
    attempts: 2,
  },
  {
    title: 'overloaded',
    play: { failure: { kind: 'overloaded', retryAfterS: 30 } },
    only: ['Anthropic'],
    clients: OVERLOADED,
    code: 'KP-PROV-107',
    health: 'rate_limited',
    attempts: 2,
  },
  {
    title: 'bad key',
    play: { failure: { kind: 'unauthorized' } },
    clients: UPSTREAM,
    code: 'KP-PROV-102',
    health: 'erroring credential',
    attempts: 1,
  },
  {
    title: 'forbidden',
    play: { failure: { kind: 'forbidden' } },
    only: ['OpenAI', 'Anthropic', 'Gemini'],
    clients: UPSTREAM,
    code: 'KP-PROV-102',
    health: 'erroring credential',
    attempts: 1,
  },
  {
    title: 'a bad key that is a 400',
    play: raw(400, {
      error: {
        code: 400,
        message: 'API key not valid.',
        status: 'INVALID_ARGUMENT',
        details: [{ reason: 'API_KEY_INVALID' }],
      },
    }),
    only: ['Gemini'],
    clients: UPSTREAM,
    code: 'KP-PROV-102',
    health: 'erroring credential',
    attempts: 1,
  },
  {
    title: 'invalid request',
    play: { failure: { kind: 'bad_request' } },
    clients: INVALID,
    code: 'KP-PROV-104',
    health: 'available',
    attempts: 1,
  },
  {
    title: 'unknown model',
    play: { failure: { kind: 'not_found' } },
    clients: NOT_FOUND,
    code: 'KP-PROV-103',
    health: 'available',
    attempts: 1,
  },
  {
    title: 'context too long',
    play: { failure: { kind: 'context_length' } },
    only: ['OpenAI', 'Anthropic', 'Gemini'],
    clients: TOO_LONG,
    code: 'KP-PROV-105',
    health: 'available',
    attempts: 1,
  },
  {
    title: 'content refused',
    play: { failure: { kind: 'content_filter' } },
    only: ['OpenAI'],
    clients: BLOCKED,
    code: 'KP-PROV-106',
    health: 'available',
    attempts: 1,
  },
  {
    title: 'moderation that is a 403',
    play: raw(403, { error: { code: 403, message: 'Your input was flagged for "violence".' } }),
    only: ['OpenAI'],
    clients: BLOCKED,
    code: 'KP-PROV-106',
    health: 'available',
    attempts: 1,
  },
  {
    title: 'server error',
    play: { failure: { kind: 'server_error' } },
    clients: UPSTREAM,
    code: 'KP-PROV-100',
    health: 'available',
    attempts: 2,
  },
  {
    title: 'bad gateway',
    play: raw(502, {}),
    clients: UPSTREAM,
    code: 'KP-PROV-100',
    health: 'available',
    attempts: 2,
  },
  { title: 'connection ended', play: 'reset', clients: UPSTREAM, code: 'KP-NET-305', health: 'available' },
]

const CLIENTS = [
  {
    path: () => '/v1/chat/completions',
    body: (model: string) => ({ model, messages: [{ role: 'user', content: 'hello' }] }),
    words: ({ error }: Shown) => `${error?.type}/${error?.code}`,
  },
  {
    path: () => '/v1/messages',
    body: (model: string) => ({ model, max_tokens: 5, messages: [{ role: 'user', content: 'hello' }] }),
    words: ({ error }: Shown) => `${error?.type}`,
  },
  {
    path: (model: string) => `/v1beta/models/${model}:generateContent`,
    body: () => ({ contents: [{ role: 'user', parts: [{ text: 'hello' }] }] }),
    words: ({ error }: Shown) => `${error?.status}`,
  },
] as const

interface Shown {
  readonly error?: {
    readonly type?: unknown
    readonly code?: unknown
    readonly status?: unknown
    readonly message?: unknown
  }
}

async function rigOf(t: Test, provider: ProviderName): Promise<Rig> {
  return startRig(
    t,
    `${accounts(['a'], `provider: ${provider}`, PROVIDERS[provider].path)}
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: pool}
spec:
  accountRefs: [{name: a}]
  health: {failureThreshold: 100}
  retry: {sameAccountBackoff: {base: 1ms, max: 1ms}}
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: default}
spec: {defaultProviderGroup: {name: pool}}
`,
  )
}

for (const provider of NAMES) {
  t.test(`R8.2 failures of ${provider} reach each client as its SDK expects them`, async (t) => {
    const { model } = PROVIDERS[provider]
    const rig = await rigOf(t, provider)
    for (const row of ROWS.filter(({ only }) => only === undefined || only.includes(provider))) {
      for (const [at, client] of CLIENTS.entries()) {
        rig.simulator.reset()
        rig.gateway.registry.find('default', 'a')?.health.reset(rig.clock.nowMs)
        rig.simulator.script({ script: row.play })
        const reply = await fetch(rig.url + client.path(model), {
          method: 'POST',
          body: JSON.stringify(client.body(model)),
        })
        const shown = (await reply.json()) as Shown
        t.equal(`${reply.status} ${client.words(shown)}`, row.clients[at], `${row.title}: client ${at}`)
        t.equal(reply.headers.get('x-korproxy-error'), row.code, `${row.title}: client ${at}`)
        const calls = rig.simulator.requests().length
        t.equal(calls, row.attempts ?? calls, `${row.title}: calls`)
        const view = rig.gateway.registry.find('default', 'a')?.health.state(model, rig.clock.nowMs)
        const cause = view?.cause === 'quota' || view?.cause === 'credential' ? ` ${view.cause}` : ''
        t.equal(`${view?.state}${cause}`, row.health, `${row.title}: health of the account`)
        t.notOk([401, 403].includes(reply.status), 'never as if the client had a bad key')
      }
    }
  })
}

t.test('R8.2 Claude Code reads a prompt that is too long, whoever said it', async (t) => {
  for (const provider of ['OpenAI', 'Anthropic', 'Gemini'] as const) {
    const rig = await rigOf(t, provider)
    rig.simulator.script({ script: { failure: { kind: 'context_length' } } })
    const reply = await fetch(`${rig.url}/v1/messages`, {
      method: 'POST',
      body: JSON.stringify(CLIENTS[1].body(PROVIDERS[provider].model)),
    })
    const shown = (await reply.json()) as Shown
    t.match(shown.error?.message, /^prompt is too long|exceed context limit/, provider)
  }
})

/** A refusal in OpenAI's own shape. */
const refusal = (error: object): Play =>
  raw(400, { error: { message: 'Refused.', type: 'invalid_request_error', ...error } })

t.test('R8.2 the OpenAI SDK reads which parameter the provider refused and its code, translated or not', async (t) => {
  const rig = await rigOf(t, 'OpenAI')
  const client = new OpenAI({ apiKey: 'k', baseURL: `${rig.url}/v1`, maxRetries: 0 })
  const read = async (error: object, path: 'chat' | 'responses'): Promise<readonly unknown[]> => {
    rig.simulator.reset()
    rig.simulator.script({ script: refusal(error) })
    const asked =
      path === 'chat'
        ? client.chat.completions.create(CLIENTS[0].body('gpt-4o') as OpenAI.ChatCompletionCreateParamsNonStreaming)
        : client.responses.create({ model: 'gpt-4o', input: 'hello' })
    const caught: unknown = await asked.catch((cause: unknown) => cause)
    if (!(caught instanceof OpenAI.BadRequestError)) throw new Error(`no refusal: ${String(caught)}`)
    return [caught.param, caught.code, caught.type]
  }
  const fault = { param: 'messages[0].content', code: 'invalid_value' }
  t.strictSame(await read(fault, 'chat'), ['messages[0].content', 'invalid_value', 'invalid_request_error'])
  t.strictSame(await read(fault, 'responses'), ['messages[0].content', 'invalid_value', 'invalid_request_error'])
  t.strictSame((await read({ param: null, code: 'content_filter' }, 'chat')).slice(0, 2), [null, 'content_filter'])
  t.strictSame((await read({ param: 'messages', code: 'context_length_exceeded' }, 'chat')).slice(0, 2), [
    'messages',
    'context_length_exceeded',
  ])
  t.strictSame(
    (await read({ message: 'This model’s maximum context length is 5 tokens.', code: 'too_big' }, 'chat')).slice(0, 2),
    [null, 'context_length_exceeded'],
    'agents know a full context by this word',
  )
})

t.test('R8.2 what is no short plain word is no parameter and no code, and a secret in it goes nowhere', async (t) => {
  const rig = await rigOf(t, 'OpenAI')
  const shown = async (error: object, path: string = CLIENTS[0].path()): Promise<unknown> => {
    rig.simulator.reset()
    rig.simulator.script({ script: refusal(error) })
    const body = path === '/v1/messages' ? CLIENTS[1].body('gpt-4o') : CLIENTS[0].body('gpt-4o')
    return (await fetch(rig.url + path, { method: 'POST', body: JSON.stringify(body) })).json()
  }
  for (const error of [
    { param: 'x'.repeat(201), code: 'x'.repeat(65) },
    { param: 'a\nb', code: 'Invalid Value' },
    { param: { a: 1 }, code: 400 },
    { param: 'the key sk-a', code: 'sk-a' },
  ]) {
    t.match(await shown(error), { error: { param: null, code: null, kp_code: 'KP-PROV-104' } }, JSON.stringify(error))
  }
  t.match(await shown({ param: 'user sk-proj-abcdef' }), { error: { param: 'user ***' } })
  const anthropic = await shown({ param: 'messages[0]', code: 'invalid_value' }, '/v1/messages')
  t.match(anthropic, { error: { type: 'invalid_request_error', message: 'Refused.' } })
  t.notMatch(JSON.stringify(anthropic), 'invalid_value', 'Anthropic has no such fields')
})

t.test(
  'R3.4 R8.2 half an answer ends in an error of its own, with the reason; an answer that never began in the cause',
  async (t) => {
    const rig = await rigOf(t, 'OpenAI')
    const ask = async (script: Play): Promise<string> => {
      rig.simulator.reset()
      rig.gateway.registry.find('default', 'a')?.health.reset(rig.clock.nowMs)
      rig.simulator.script({ script })
      const reply = await fetch(`${rig.url}/v1/chat/completions`, {
        method: 'POST',
        body: JSON.stringify({ ...CLIENTS[0].body('gpt-4o'), stream: true }),
      })
      return `${reply.status} ${(await reply.text()).split('\n').find((line) => line.includes('kp_code')) ?? ''}`
    }
    const brokenOff = /^200 data: \{"error":\{"message":"The stream from the provider of account a broke off: /
    for (const script of ['cut', 'cutreset', 'cleancut', 'broken', 'garbage']) {
      const text = await ask(script)
      t.match(text, brokenOff, script)
      t.match(text, '"kp_code":"KP-PROV-111"', script)
      t.notMatch(text, /\{reason\}|undefined/, script)
      t.equal(rig.events.at(-1)?.errorCode, 'KP-PROV-111', script)
    }
    t.match(await ask('errorevent'), '"kp_code":"KP-PROV-100"', "the provider's own error keeps its name")
    const frame = (data: string): Play => [
      { status: 200, headers: { 'content-type': 'text/event-stream' } },
      { write: `data: ${data}\n\n` },
      { end: true },
    ]
    t.match(await ask(frame('{"choices":[')), /^502 .*"kp_code":"KP-PROV-109"/, 'an event that is no JSON')
    t.equal(rig.gateway.registry.find('default', 'a')?.health.lastError?.kind, 'bad-reply')
  },
)

import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import { Ollama } from 'ollama'
import OpenAI from 'openai'
import t from 'tap'
import { startSimulator } from '#simulator/simulator.ts'
import { startRelay } from './relay.ts'
import { ANSWERING } from './targets.ts'

/** Two turns, as an agent has them: what the SDK gave is sent back as it came, with the results of the calls. */
interface Turns {
  readonly called: readonly string[]
  readonly answer: string
}

type Mode = 'whole' | 'stream'

/** Names that most providers refuse. */
const NAMES = ['get.weather/v2 ü', `search_${'n'.repeat(100)}`] as const
const PROMPT = 'THINK USETOOLS2'
const CITY = { type: 'object' as const, properties: { city: { type: 'string' } }, required: ['city'] }
const RESULTS = ['sunny', 'noon']
const model = 'alias'

async function chatTurns(base: string): Promise<Turns> {
  const client = new OpenAI({ apiKey: 'k', baseURL: `${base}/v1`, maxRetries: 0 })
  const tools = NAMES.map((name) => ({ type: 'function' as const, function: { name, parameters: CITY } }))
  const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: PROMPT }]
  const ask = () => client.chat.completions.create({ model, messages, tools, reasoning_effort: 'low' })
  const message = (await ask()).choices[0]?.message
  const calls = message?.tool_calls ?? []
  if (message !== undefined) messages.push(message)
  for (const [at, { id }] of calls.entries()) {
    messages.push({ role: 'tool', tool_call_id: id, content: RESULTS[at] ?? '' })
  }
  return {
    called: calls.map((call) => (call.type === 'function' ? call.function.name : '')),
    answer: (await ask()).choices[0]?.message.content ?? '',
  }
}

async function responsesTurns(base: string, mode: Mode): Promise<Turns> {
  const client = new OpenAI({ apiKey: 'k', baseURL: `${base}/v1`, maxRetries: 0 })
  const tools = NAMES.map((name) => ({ type: 'function' as const, name, parameters: CITY, strict: false }))
  const input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: PROMPT }]
  const ask = () => {
    const body = {
      model,
      input,
      tools,
      store: false,
      include: ['reasoning.encrypted_content' as const],
      reasoning: { effort: 'low' as const, summary: 'auto' as const },
    }
    return mode === 'whole' ? client.responses.create(body) : client.responses.stream(body).finalResponse()
  }
  const output: OpenAI.Responses.ResponseOutputItem[] = (await ask()).output
  const calls = output.filter((item) => item.type === 'function_call')
  // What comes out may go in again; the SDK's types differ in fields that only come out.
  input.push(...(output as OpenAI.Responses.ResponseInput))
  for (const [at, { call_id }] of calls.entries()) {
    input.push({ type: 'function_call_output', call_id, output: RESULTS[at] ?? '' })
  }
  return { called: calls.map(({ name }) => name), answer: (await ask()).output_text }
}

async function anthropicTurns(base: string, mode: Mode): Promise<Turns> {
  const client = new Anthropic({ apiKey: 'k', baseURL: base, maxRetries: 0 })
  const tools = NAMES.map((name) => ({ name, input_schema: CITY }))
  const messages: Anthropic.MessageParam[] = [{ role: 'user', content: PROMPT }]
  const thinking = { type: 'enabled' as const, budget_tokens: 1024 }
  const ask = () => {
    const body = { model, max_tokens: 4096, messages, tools, thinking }
    return mode === 'whole' ? client.messages.create(body) : client.messages.stream(body).finalMessage()
  }
  const { content } = await ask()
  const calls = content.filter((block) => block.type === 'tool_use')
  messages.push({ role: 'assistant', content })
  messages.push({
    role: 'user',
    content: calls.map(({ id }, at) => ({ type: 'tool_result', tool_use_id: id, content: RESULTS[at] ?? '' })),
  })
  const last = (await ask()).content.map((block) => (block.type === 'text' ? block.text : ''))
  return { called: calls.map(({ name }) => name), answer: last.join('') }
}

async function geminiTurns(base: string): Promise<Turns> {
  const client = new GoogleGenAI({ apiKey: 'k', httpOptions: { baseUrl: base } })
  const contents: object[] = [{ role: 'user', parts: [{ text: PROMPT }] }]
  const functionDeclarations = NAMES.map((name) => ({ name, parametersJsonSchema: CITY }))
  const config = { tools: [{ functionDeclarations }], thinkingConfig: { includeThoughts: true, thinkingBudget: 1024 } }
  const ask = () => client.models.generateContent({ model, contents, config })
  const first = await ask()
  const calls = first.functionCalls ?? []
  contents.push(first.candidates?.[0]?.content ?? {})
  contents.push({
    role: 'user',
    parts: calls.map(({ id, name }, at) => ({
      functionResponse: { ...(id === undefined ? {} : { id }), name, response: { output: RESULTS[at] } },
    })),
  })
  const parts = (await ask()).candidates?.[0]?.content?.parts ?? []
  const answer = parts.map((part) => (part.thought === true ? '' : (part.text ?? ''))).join('')
  return { called: calls.map(({ name }) => name ?? ''), answer }
}

async function ollamaTurns(base: string): Promise<Turns> {
  const client = new Ollama({ host: base })
  const tools = NAMES.map((name) => ({ type: 'function', function: { name, description: 'd', parameters: CITY } }))
  const messages: Parameters<typeof client.chat>[0]['messages'] = [{ role: 'user', content: PROMPT }]
  const ask = () => client.chat({ model, messages, tools, think: true, stream: false })
  const { message } = await ask()
  const calls = message.tool_calls ?? []
  messages.push(message)
  for (const [at, call] of calls.entries()) {
    messages.push({ role: 'tool', content: RESULTS[at] ?? '', tool_name: call.function.name })
  }
  return { called: calls.map((call) => call.function.name), answer: (await ask()).message.content }
}

const PLAIN = 'Tool results: sunny | noon'
/** Google's results are objects: providers that take text are given their JSON. */
const JSON_RESULTS = 'Tool results: {"output":"sunny"} | {"output":"noon"}'
/** What the simulator signs its thoughts with; Ollama's clients have no place to keep it. */
const SIGNATURES: Readonly<Record<string, string>> = {
  anthropic: 'bW9jay1hbnRocm9waWMtc2lnbmF0dXJl',
  'anthropic without schemas': 'bW9jay1hbnRocm9waWMtc2lnbmF0dXJl',
  gemini: 'bW9jay1nZW1pbmktc2lnbmF0dXJl',
}
const CLIENTS: Readonly<Record<string, (base: string) => Promise<Turns>>> = {
  chatTurns,
  responsesTurns: (base) => responsesTurns(base, 'whole'),
  responsesStreams: (base) => responsesTurns(base, 'stream'),
  anthropicTurns: (base) => anthropicTurns(base, 'whole'),
  anthropicStreams: (base) => anthropicTurns(base, 'stream'),
  geminiTurns,
  ollamaTurns,
}

for (const target of Object.keys(ANSWERING)) {
  t.test(
    `R3.3 an agent of every SDK calls tools of any name at ${target} and sends thoughts and results back`,
    async (t) => {
      const simulator = await startSimulator()
      t.teardown(() => simulator.close())
      const url = `${await startRelay(t, simulator.url)}/${encodeURIComponent(target)}`
      for (const [name, turns] of Object.entries(CLIENTS)) {
        const { called, answer } = await turns(url)
        t.strictSame(called, NAMES, `${name}: the client’s own names`)
        const wanted = name === 'geminiTurns' && target !== 'gemini' ? JSON_RESULTS : PLAIN
        t.equal(answer, wanted, `${name}: the answer to the results`)
        const sent = new TextDecoder().decode(simulator.requests().at(-1)?.body)
        const signature = SIGNATURES[target]
        if (signature !== undefined && name !== 'ollamaTurns')
          t.match(sent, signature, `${name}: the provider’s signature`)
      }
    },
  )
}

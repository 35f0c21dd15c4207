import t from 'tap'
import type { ChatEvent, ChatReply } from '#formats/ir/chat-event.ts'
import type { ChatRequest, JsonObject } from '#formats/ir/chat-request.ts'
import { collectReply } from '#formats/ir/collect-reply.ts'
import { CHAT_FORMATS } from '#formats/registry.ts'
import { type Simulator, startSimulator } from '#simulator/simulator.ts'
import { splitterOf } from './relay.ts'
import { ANSWERING, type Target } from './targets.ts'

const CITY = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
}
const ASKED: Readonly<
  Record<string, { readonly scenario?: string; readonly prompt?: string; readonly fields?: JsonObject }>
> = {
  text: {},
  'one tool': {
    prompt: 'USETOOL',
    fields: { tools: [{ type: 'function', function: { name: 'f', parameters: CITY } }] },
  },
  'two tools': {
    prompt: 'USETOOLS2',
    fields: {
      tools: ['f', 'g'].map((name) => ({ type: 'function', function: { name, parameters: CITY } })),
    },
  },
  thinking: { prompt: 'THINK', fields: { reasoning_effort: 'low' } },
  'thinking and a tool': {
    prompt: 'THINK USETOOL',
    fields: { reasoning_effort: 'low', tools: [{ type: 'function', function: { name: 'f', parameters: CITY } }] },
  },
  json: { fields: { response_format: { type: 'json_schema', json_schema: { name: 'a', schema: CITY } } } },
  length: { scenario: '--length' },
  filter: { scenario: '--filter' },
  blocked: { scenario: '--blocked' },
}

/** Ids and times differ from call to call. */
function comparable({ model, choices, usage }: ChatReply): unknown {
  const parts = choices.map((choice) => ({
    ...choice,
    parts: choice.parts.map((part) => (part.type === 'tool-call' ? { ...part, id: 'an id' } : part)),
  }))
  return { model, choices: parts, usage }
}

async function ask(simulator: Simulator, target: Target, request: ChatRequest): Promise<ChatReply> {
  const encoded = target.format.encodeRequest?.(request, { ...target.model, id: request.model })
  if (encoded === undefined) throw new Error(`${target.format.name} is no target`)
  const url = simulator.url + target.path(request.stream).replace(target.model.id, request.model)
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...target.headers },
    body: JSON.stringify(encoded.body),
  })
  const bytes = new Uint8Array(await answer.arrayBuffer())
  if (!request.stream) {
    return collectReply(target.format.decodeReply(JSON.parse(new TextDecoder().decode(bytes)), encoded.replyContext))
  }
  const splitter = splitterOf(target.format)
  const decoder = target.format.streamDecoder(encoded.replyContext)
  const events: ChatEvent[] = []
  for (const { frame } of [...splitter.push(bytes), ...splitter.end()]) {
    if (frame !== undefined) events.push(...decoder.push(frame))
  }
  return collectReply([...events, ...decoder.end()])
}

for (const [name, target] of Object.entries(ANSWERING)) {
  t.test(`R3.3 a streamed answer of ${name}, collected, is the whole answer`, async (t) => {
    const simulator = await startSimulator()
    t.teardown(() => simulator.close())
    for (const [title, { scenario = '', prompt = 'hi', fields = {} }] of Object.entries(ASKED)) {
      const body = { model: 'alias', messages: [{ role: 'user', content: prompt }], ...fields }
      const request = { ...CHAT_FORMATS['openai-chat'].decodeRequest(body, {}), model: target.model.id + scenario }
      const whole = await ask(simulator, target, { ...request, stream: false })
      const streamed = await ask(simulator, target, { ...request, stream: true })
      t.strictSame(comparable(streamed), comparable(whole), title)
      t.equal(whole.choices[0]?.finish === undefined, false, `${title} has a finish`)
    }
  })
}

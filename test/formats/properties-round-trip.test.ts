import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { ChatFormat, ChatFormatName, ReplyContext } from '#formats/format.ts'
import type { ChatEvent, ChatReply, FinishReason, Usage } from '#formats/ir/chat-event.ts'
import type { JsonObject } from '#formats/ir/chat-request.ts'
import { collectReply } from '#formats/ir/collect-reply.ts'
import { CHAT_FORMATS } from '#formats/registry.ts'
import { SEED } from './pairs/mutate.ts'
import { clientContext, splitterOf } from './pairs/relay.ts'

/** An answer in no format's words. */
interface Answer {
  readonly thinking: readonly string[]
  readonly text: readonly string[]
  readonly calls: readonly { readonly name: string; readonly arguments: JsonObject }[]
  readonly end: FinishReason
  readonly usage: Usage
}

const word = fc.constantFrom('a', ' b', '\n', '\r\n\r\n', '😀', '"\\', 'data: x', '[DONE]', '\u2028', '</think>')
const answers: fc.Arbitrary<Answer> = fc.record({
  thinking: fc.array(word, { maxLength: 3 }),
  text: fc.array(word, { maxLength: 4 }),
  calls: fc.array(
    fc.record({
      name: fc.constantFrom('f', 'get_weather'),
      arguments: fc.dictionary(
        fc.constantFrom('city', 'title', 'type', 'ü', 'format'),
        fc.constantFrom<(string | number | boolean | null | string[])[]>(
          'Paris',
          '',
          '\n"',
          1,
          -0.5,
          1e21,
          true,
          null,
          ['x'],
        ),
        { maxKeys: 3, noNullPrototype: true },
      ),
    }),
    { maxLength: 3 },
  ),
  end: fc.constantFrom('stop', 'length', 'content-filter'),
  usage: fc.constantFrom({ input: 9, output: 4 }, { input: 9, cachedInput: 5, output: 4, reasoning: 2 }),
})

function eventsOf({ thinking, text, calls, end, usage }: Answer, interleaved: boolean): ChatEvent[] {
  const pieces = calls.map(({ arguments: given }) => {
    const json = JSON.stringify(given)
    return [json.slice(0, json.length / 2), json.slice(json.length / 2)]
  })
  const delta = (index: number, half: number): ChatEvent => ({
    type: 'tool-call-delta',
    choice: 0,
    index,
    arguments: pieces[index]?.[half] ?? '',
  })
  const start = (index: number): ChatEvent => ({
    type: 'tool-call-start',
    choice: 0,
    index,
    id: `call_${index}`,
    name: calls[index]?.name ?? '',
  })
  const ended = (index: number): ChatEvent => ({ type: 'tool-call-end', choice: 0, index })
  const all = [...calls.keys()]
  return [
    { type: 'start', id: 'up-1', model: 'm', createdAt: 1_700_000_000 },
    ...thinking.map((piece): ChatEvent => ({ type: 'thinking-delta', choice: 0, text: piece })),
    ...text.map((piece): ChatEvent => ({ type: 'text-delta', choice: 0, text: piece })),
    ...(interleaved
      ? [...all.map(start), ...all.map((at) => delta(at, 0)), ...all.map((at) => delta(at, 1)), ...all.map(ended)]
      : all.flatMap((at) => [start(at), delta(at, 0), delta(at, 1), ended(at)])),
    { type: 'finish', choice: 0, reason: calls.length > 0 ? 'tool-calls' : end },
    { type: 'usage', usage },
  ]
}

interface Says {
  readonly thinking: boolean
  readonly calls: boolean
  /** Cached and reasoning tokens. */
  readonly details: boolean
}
const EVERYTHING: Says = { thinking: true, calls: true, details: true }
/** What each format can say. */
const FORMATS: Readonly<Record<ChatFormatName, Says>> = {
  'openai-chat': EVERYTHING,
  'openai-responses': EVERYTHING,
  anthropic: EVERYTHING,
  gemini: EVERYTHING,
  'openai-completions': { thinking: false, calls: false, details: true },
  'ollama-chat': { thinking: true, calls: true, details: false },
  'ollama-generate': { thinking: true, calls: false, details: false },
}

function expected({ thinking, text, calls, end, usage }: Answer, says: Says): unknown {
  const { input, output } = usage
  return {
    text: text.join(''),
    thinking: says.thinking ? thinking.join('') : '',
    calls: says.calls ? calls : [],
    finish: says.calls && calls.length > 0 ? 'tool-calls' : (calls.length > 0 && 'stop') || end,
    usage: says.details ? { cachedInput: 0, reasoning: 0, ...usage } : { cachedInput: 0, reasoning: 0, input, output },
  }
}

function readBack({ choices, usage }: ChatReply): unknown {
  const { parts = [], finish } = choices[0] ?? {}
  const textOf = (type: 'text' | 'thinking') => parts.map((part) => (part.type === type ? part.text : '')).join('')
  const { input, output, cachedInput = 0, reasoning = 0 } = usage ?? {}
  return {
    text: textOf('text'),
    thinking: textOf('thinking'),
    calls: parts.flatMap((part) =>
      part.type === 'tool-call' ? [{ name: part.name, arguments: JSON.parse(part.arguments || '{}') }] : [],
    ),
    finish: finish?.reason,
    usage: { cachedInput, reasoning, input, output },
  }
}

const REPLY: ReplyContext = { issuer: 'test', toolNames: new Map(), jsonTool: undefined }
const CLIENT = CHAT_FORMATS['openai-chat'].decodeRequest(
  {
    model: 'alias',
    stream: true,
    stream_options: { include_usage: true },
    messages: [{ role: 'user', content: 'hi' }],
    tools: ['f', 'get_weather'].map((name) => ({ type: 'function', function: { name } })),
    reasoning_effort: 'low',
  },
  {},
)
const REQUEST = { ...CLIENT, reasoning: { effort: 'low' as const, includeThoughts: true } }

function throughStream(format: ChatFormat, events: readonly ChatEvent[]): ChatReply {
  const encoder = format.streamEncoder(clientContext(REQUEST))
  const bytes = new TextEncoder().encode(events.map((event) => encoder.push(event)).join('') + encoder.end())
  const splitter = splitterOf(format)
  const decoder = format.streamDecoder(REPLY)
  const read: ChatEvent[] = []
  for (const { frame } of [...splitter.push(bytes), ...splitter.end()]) {
    if (frame !== undefined) read.push(...decoder.push(frame))
  }
  return collectReply([...read, ...decoder.end()])
}

/** As JSON: fast-check makes objects without a prototype. */
function same(actual: unknown, wanted: unknown): void {
  assert.equal(JSON.stringify(actual), JSON.stringify(wanted))
}

// The keys of the record.
for (const name of Object.keys(FORMATS) as ChatFormatName[]) {
  t.test(`R3.3 property: what ${name} writes, streamed or whole, ${name} reads back the same`, (t) => {
    const format = CHAT_FORMATS[name]
    fc.assert(
      fc.property(answers, fc.boolean(), (answer, interleaved) => {
        const events = eventsOf(answer, interleaved)
        same(readBack(throughStream(format, events)), expected(answer, FORMATS[name]))
        const body: JsonObject = JSON.parse(
          JSON.stringify(format.encodeReply(collectReply(events), clientContext(REQUEST))),
        )
        same(readBack(collectReply(format.decodeReply(body, REPLY))), expected(answer, FORMATS[name]))
      }),
      { seed: SEED, numRuns: 400 },
    )
    t.end()
  })
}

import t from 'tap'
import type { Frame, ReplyContext } from '#formats/format.ts'
import { gemini } from '#formats/gemini/gemini.ts'
import type { JsonObject } from '#formats/ir/chat-request.ts'
import { golden } from '../../helpers/golden.ts'

const CONTEXT: ReplyContext = {
  issuer: 'gemini',
  toolNames: new Map([['get_weather_', 'get weather!']]),
  jsonTool: undefined,
}
const frame = (data: unknown): Frame => ({ data: JSON.stringify(data) })
const decode = (body: JsonObject) => gemini.decodeReply(body, CONTEXT)
const reply = (candidate: JsonObject, more: JsonObject = {}): JsonObject => ({
  candidates: [{ content: { role: 'model', parts: [{ text: 'x' }] }, ...candidate }],
  responseId: 'r1',
  modelVersion: 'm1',
  ...more,
})
const START = { type: 'start', id: 'r1', model: 'm1', createdAt: undefined }
const TEXT = { type: 'text-delta', choice: 0, text: 'x' }

t.test('R3.4 streams of Gemini become events', (t) => {
  golden(t, new URL('./streams/', import.meta.url), 'events', (chunks) => {
    const decoder = gemini.streamDecoder(CONTEXT)
    // Golden inputs are lists of chunks.
    return [...(chunks as unknown[]).flatMap((chunk) => decoder.push(frame(chunk))), ...decoder.end()]
  })
  t.end()
})

t.test('every finish reason is an end that clients know, or an error that may be tried again', (t) => {
  const ends: [string, string][] = [
    ['STOP', 'stop'],
    ['MAX_TOKENS', 'length'],
    ['CONTINUATION', 'length'],
    ...['SAFETY', 'RECITATION', 'LANGUAGE', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII', 'MODEL_ARMOR'].map(
      (reason): [string, string] => [reason, 'content-filter'],
    ),
    ...['IMAGE_SAFETY', 'IMAGE_PROHIBITED_CONTENT', 'IMAGE_RECITATION', 'IMAGE_OTHER'].map(
      (reason): [string, string] => [reason, 'content-filter'],
    ),
    ['NEW_IN_2027', 'stop'],
  ]
  for (const [finishReason, reason] of ends) {
    const finish = { type: 'finish', choice: 0, reason }
    const explained = reason === 'content-filter' ? { ...finish, explanation: finishReason } : finish
    t.same(decode(reply({ finishReason })), [START, TEXT, explained], finishReason)
  }
  const failures = [
    'MALFORMED_FUNCTION_CALL',
    'UNEXPECTED_TOOL_CALL',
    'TOO_MANY_TOOL_CALLS',
    'MISSING_THOUGHT_SIGNATURE',
  ]
  for (const code of [...failures, 'OTHER', 'MALFORMED_RESPONSE', 'NO_IMAGE']) {
    const error = { type: 'error', kind: 'upstream', code, message: `The model stopped with ${code}.` }
    t.same(decode(reply({ finishReason: code })), [START, TEXT, error], code)
  }
  t.same(decode(reply({ content: {}, finishReason: 'NEW_IN_2027' }))[1], {
    type: 'error',
    kind: 'upstream',
    code: 'NEW_IN_2027',
    message: 'The model stopped with NEW_IN_2027.',
  })
  t.end()
})

t.test('a reply with function calls ends with tool calls, though Google says STOP', (t) => {
  const events = decode(
    reply({ content: { parts: [{ functionCall: { name: 'f', args: { a: 1 } } }] }, finishReason: 'STOP' }),
  )
  t.same(events, [
    START,
    { type: 'tool-call-start', choice: 0, index: 0, id: 'call_r1_0', name: 'f' },
    { type: 'tool-call-delta', choice: 0, index: 0, arguments: '{"a":1}' },
    { type: 'tool-call-end', choice: 0, index: 0 },
    { type: 'finish', choice: 0, reason: 'tool-calls' },
  ])
  t.end()
})

t.test('a blocked prompt has no candidates and is a filtered answer', (t) => {
  t.same(decode({ promptFeedback: { blockReason: 'SAFETY' }, responseId: 'r1', modelVersion: 'm1' }), [
    START,
    { type: 'finish', choice: 0, reason: 'content-filter', explanation: 'The prompt was blocked: SAFETY' },
  ])
  t.end()
})

t.test('an answer of nothing is an error, one that was cut off before its first word is not', (t) => {
  const usage = { promptTokenCount: 5, totalTokenCount: 5 }
  const empty = decode(reply({ content: { role: 'model' }, finishReason: 'STOP' }, { usageMetadata: usage }))
  t.same(empty.at(-1), { type: 'error', kind: 'upstream', code: 'empty', message: 'The model gave an empty answer.' })
  const spent = { promptTokenCount: 5, thoughtsTokenCount: 16, totalTokenCount: 21 }
  const cut = decode(reply({ content: { parts: [] }, finishReason: 'MAX_TOKENS' }, { usageMetadata: spent }))
  t.same(cut.slice(1), [
    { type: 'usage', usage: { input: 5, output: 16, reasoning: 16 } },
    { type: 'finish', choice: 0, reason: 'length' },
  ])
  t.end()
})

t.test('thoughts count as output, tool tokens as input only where the total says they stand apart', (t) => {
  const usageOf = (usageMetadata: JsonObject) => decode({ usageMetadata, responseId: 'r' })[1]
  t.same(usageOf({ promptTokenCount: 10, candidatesTokenCount: 23, thoughtsTokenCount: 302, totalTokenCount: 335 }), {
    type: 'usage',
    usage: { input: 10, output: 325, reasoning: 302 },
  })
  const tools = { promptTokenCount: 10, toolUsePromptTokenCount: 4, candidatesTokenCount: 1 }
  t.same(usageOf({ ...tools, totalTokenCount: 15 }), { type: 'usage', usage: { input: 14, output: 1 } })
  t.same(usageOf({ ...tools, totalTokenCount: 11 }), { type: 'usage', usage: { input: 10, output: 1 } })
  t.end()
})

t.test('a last chunk that leaves counts out does not undo earlier ones', (t) => {
  const decoder = gemini.streamDecoder(CONTEXT)
  decoder.push(frame({ usageMetadata: { promptTokenCount: 9, thoughtsTokenCount: 7, candidatesTokenCount: 1 } }))
  t.same(decoder.push(frame({ usageMetadata: { candidatesTokenCount: 3 } })), [
    { type: 'usage', usage: { input: 9, output: 10, reasoning: 7 } },
  ])
  t.end()
})

t.test('ids of calls are unique in a reply and differ between replies without an id', (t) => {
  const calls = (args: JsonObject[], ids: (string | undefined)[]) => {
    const parts = args.map((args, at) => ({ functionCall: { name: 'f', args, ...(ids[at] ? { id: ids[at] } : {}) } }))
    return decode({ candidates: [{ content: { parts } }] }).flatMap((event) =>
      event.type === 'tool-call-start' ? event.id : [],
    )
  }
  t.same(calls([{}, {}], ['same', 'same'])[0], 'same')
  t.equal(new Set(calls([{}, {}, {}], ['same', 'same', undefined])).size, 3)
  t.notSame(calls([{ a: 1 }], []), calls([{ a: 2 }], []))
  t.ok(calls([{}], []).every((id) => /^[a-zA-Z0-9_-]{1,40}$/.test(id)))
  t.end()
})

t.test('errors inside a reply keep the provider word for what went wrong', (t) => {
  const kindOf = (error: JsonObject) => {
    const [event] = decode({ error })
    return event?.type === 'error' ? [event.kind, event.code] : undefined
  }
  t.same(kindOf({ code: 429, status: 'RESOURCE_EXHAUSTED' }), ['rate_limited', 'RESOURCE_EXHAUSTED'])
  t.same(kindOf({ code: 503 }), ['overloaded', '503'])
  t.same(kindOf({ code: 400, status: 'INVALID_ARGUMENT' }), ['invalid_request', 'INVALID_ARGUMENT'])
  t.same(kindOf({ code: 500, status: 'INTERNAL' }), ['upstream', 'INTERNAL'])
  t.end()
})

t.test('what is no Gemini reply is refused as broken', (t) => {
  const broken = { code: 'KP-PROV-109' }
  t.throws(() => decode({}), broken)
  t.throws(() => decode({ candidates: 'none' }), broken)
  t.throws(() => decode({ candidates: [{ content: { parts: [null] } }] }), broken)
  t.throws(() => decode({ candidates: [{ content: { parts: [{ functionCall: { args: {} } }] } }] }), broken)
  const decoder = gemini.streamDecoder(CONTEXT)
  t.throws(() => decoder.push({ data: '{"candidates":[' }), broken)
  const gap = { name: 'f', partialArgs: [{ jsonPath: '$.a[5]', stringValue: 'x' }] }
  t.throws(() => decoder.push(frame({ candidates: [{ content: { parts: [{ functionCall: gap }] } }] })), broken)
  t.end()
})

t.test('frames without meaning give no events', (t) => {
  const decoder = gemini.streamDecoder(CONTEXT)
  t.same([...decoder.push({ data: '' }), ...decoder.push({ data: '{}' }), ...decoder.push({ data: '[DONE]' })], [])
  t.same(decoder.end(), [])
  t.end()
})

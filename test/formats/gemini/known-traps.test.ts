import t from 'tap'
import type { TargetModel } from '#formats/format.ts'
import { encodeGeminiRequest } from '#formats/gemini/encode-request.ts'
import { gemini } from '#formats/gemini/gemini.ts'
import type { ChatRequest, JsonObject, Turn } from '#formats/ir/chat-request.ts'
import { collectReply } from '#formats/ir/collect-reply.ts'

/** What other gateways are known to get wrong in this format, one test each. */
const FLASH: TargetModel = {
  id: 'gemini-2.5-flash',
  issuer: 'gemini',
  capabilities: {},
  quirks: { onUnsupported: 'Error' },
}
const EMPTY: ChatRequest = gemini.decodeRequest({ contents: [] }, { model: 'm' })
const CONTEXT = { issuer: 'gemini', toolNames: new Map<string, string>(), jsonTool: undefined }

const encode = (request: Partial<ChatRequest>) => encodeGeminiRequest({ ...EMPTY, ...request }, FLASH).body
const afterCall = (args: string): Turn[] => [
  { role: 'user', parts: [{ type: 'text', text: 'go' }] },
  { role: 'assistant', parts: [{ type: 'tool-call', id: 'call_1', name: 'now', arguments: args }] },
  { role: 'tool', results: [{ callId: 'call_1', parts: [{ type: 'text', text: 'noon' }], isError: false }] },
]
const decode = (parts: JsonObject[], more: JsonObject = {}) =>
  collectReply(gemini.decodeReply({ candidates: [{ content: { parts }, finishReason: 'STOP' }], ...more }, CONTEXT))

t.test('a call with empty arguments goes out with an empty object, not with a schema', (t) => {
  t.match(encode({ turns: afterCall('') }), {
    contents: [{}, { parts: [{ functionCall: { name: 'now', args: {} } }] }],
  })
  t.end()
})

t.test('the name of a function response is found by the id of its call', (t) => {
  t.match(encode({ turns: afterCall('{}') }), {
    contents: [
      {},
      {},
      { role: 'user', parts: [{ functionResponse: { id: 'call_1', name: 'now', response: { result: 'noon' } } }] },
    ],
  })
  t.end()
})

t.test('argument keys that are also schema keywords survive', (t) => {
  const args = { title: 'a', format: 'b', type: 'OBJECT', additionalProperties: { $ref: 'x' } }
  t.match(encode({ turns: afterCall(JSON.stringify(args)) }), {
    contents: [{}, { parts: [{ functionCall: { args } }] }],
  })
  t.end()
})

t.test('results of parallel calls stand in one turn', (t) => {
  const call = (id: string) => ({ type: 'tool-call' as const, id, name: id, arguments: '{}' })
  const results = ['a', 'b'].map((callId): Turn => ({ role: 'tool', results: [{ callId, parts: [], isError: false }] }))
  const { contents } = encode({ turns: [{ role: 'assistant', parts: [call('b'), call('a')] }, ...results] })
  t.match(contents, [
    { role: 'user' },
    { role: 'model', parts: [{ functionCall: { id: 'b' } }, { functionCall: { id: 'a' } }] },
    { role: 'user', parts: [{ functionResponse: { id: 'b' } }, { functionResponse: { id: 'a' } }] },
  ])
  t.end()
})

t.test('the highest efforts are lowered to what the model knows instead of failing', (t) => {
  t.match(encode({ reasoning: { effort: 'xhigh' } }), {
    generationConfig: { thinkingConfig: { thinkingBudget: 24576 } },
  })
  t.end()
})

t.test('penalties and the number of choices are carried', (t) => {
  t.same(encode({ sampling: { n: 2, presencePenalty: 0.5, frequencyPenalty: 0.25 } })['generationConfig'], {
    candidateCount: 2,
    presencePenalty: 0.5,
    frequencyPenalty: 0.25,
  })
  t.end()
})

t.test('more tokens than the model can answer are lowered instead of refused', (t) => {
  const request: ChatRequest = { ...EMPTY, maxOutputTokens: 128_000 }
  const { body } = encodeGeminiRequest(request, { ...FLASH, maxOutputTokens: 65_536 })
  t.same(body['generationConfig'], { maxOutputTokens: 65_536 })
  t.end()
})

t.test('thoughts are billed as output', (t) => {
  const usageMetadata = { promptTokenCount: 8, candidatesTokenCount: 23, thoughtsTokenCount: 302, totalTokenCount: 333 }
  t.same(decode([{ text: 'x' }], { usageMetadata }).usage, { input: 8, output: 325, reasoning: 302 })
  t.end()
})

t.test('a reply with a call finishes with tool calls', (t) => {
  t.equal(decode([{ functionCall: { name: 'now', args: {} } }]).choices[0]?.finish?.reason, 'tool-calls')
  t.end()
})

t.test('a streamed call without arguments is a call with none', (t) => {
  const [choice] = decode([{ functionCall: { name: 'now' } }]).choices
  t.match(choice?.parts, [{ type: 'tool-call', name: 'now', arguments: '{}' }])
  t.end()
})

t.test('a streamed call in pieces keeps one name', (t) => {
  const piece = (value: string) => ({ partialArgs: [{ jsonPath: '$.a', stringValue: value }], willContinue: true })
  const call = (more: JsonObject) => ({ functionCall: { name: 'now', ...more } })
  const [choice] = decode([
    call({ willContinue: true }),
    call(piece('x')),
    call(piece('y')),
    { functionCall: {} },
  ]).choices
  t.match(choice?.parts, [{ type: 'tool-call', name: 'now', arguments: '{"a":"xy"}' }])
  t.equal(choice?.parts.length, 1)
  t.end()
})

t.test('parallel calls over several chunks have indices of their own', (t) => {
  const decoder = gemini.streamDecoder(CONTEXT)
  const chunk = { candidates: [{ content: { parts: [{ functionCall: { name: 'now', args: {} } }] } }], responseId: 'r' }
  const starts = [chunk, chunk]
    .flatMap((data) => decoder.push({ data: JSON.stringify(data) }))
    .flatMap((event) => (event.type === 'tool-call-start' ? [[event.index, event.id]] : []))
  t.same(starts, [
    [0, 'call_r_0'],
    [1, 'call_r_1'],
  ])
  t.end()
})

t.test('a malformed call is an error and not an empty answer', (t) => {
  const candidates = [{ content: {}, finishReason: 'MALFORMED_FUNCTION_CALL', finishMessage: 'Malformed: print(1)' }]
  t.match(gemini.decodeReply({ candidates }, CONTEXT).at(-1), { type: 'error', message: 'Malformed: print(1)' })
  t.end()
})

t.test('a blocked prompt without candidates does not crash', (t) => {
  const [event] = gemini.decodeReply({ promptFeedback: { blockReason: 'PROHIBITED_CONTENT' } }, CONTEXT).slice(-1)
  t.match(event, { type: 'finish', reason: 'content-filter' })
  t.end()
})

t.test('code that Google ran itself is no call for the client', (t) => {
  const parts = [
    { executableCode: { language: 'PYTHON', code: '1' } },
    { codeExecutionResult: { output: '1' } },
    { text: '1' },
  ]
  const [choice] = decode(parts).choices
  t.match(choice, { parts: [{ type: 'text', text: '1' }], finish: { reason: 'stop' } })
  t.end()
})

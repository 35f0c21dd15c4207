import { readFileSync } from 'node:fs'
import t from 'tap'
import type { TargetModel } from '#formats/format.ts'
import type { ChatRequest, JsonObject, ToolResult, Turn } from '#formats/ir/chat-request.ts'
import { encodeResponsesRequest } from '#formats/openai-responses/encode-request.ts'
import { openaiResponses } from '#formats/openai-responses/openai-responses.ts'
import { golden } from '../../helpers/golden.ts'

const OPENAI: TargetModel = {
  id: 'gpt-5.3-codex',
  issuer: 'openai',
  capabilities: { reasoning: true },
  quirks: { onUnsupported: 'Error' },
}
const EMPTY: ChatRequest = openaiResponses.decodeRequest({ model: 'm', input: 'hi' }, {})

t.test('R3.3 a request of another format is written for a model that speaks only Responses', (t) => {
  golden(t, new URL('../encode/openai-responses/', import.meta.url), 'body', (input) => {
    // Golden inputs hold a request and its target.
    const { request, target } = input as { request: ChatRequest; target: TargetModel }
    const { body, dropped, replyContext } = encodeResponsesRequest(request, target)
    return { body, dropped, toolNames: Object.fromEntries(replyContext.toolNames) }
  })
  t.end()
})

t.test('R3.3 what Codex sends comes out as it went in', (t) => {
  const path = new URL('../requests/openai-responses/codex-like.in.json', import.meta.url)
  const sent: JsonObject = JSON.parse(readFileSync(path, 'utf8'))
  const { body } = encodeResponsesRequest(openaiResponses.decodeRequest(sent, {}), OPENAI)
  const expected = new URL('codex-round-trip.json', import.meta.url)
  t.same(body, JSON.parse(readFileSync(expected, 'utf8')))
  t.end()
})

t.test('R3.4 more than one answer and stop sequences are refused unless the policy drops them', (t) => {
  for (const sampling of [{ n: 2 }, { stop: ['END'] }]) {
    t.throws(() => encodeResponsesRequest({ ...EMPTY, sampling }, OPENAI), { code: 'KP-PROV-112' })
    const drop = { ...OPENAI, quirks: { onUnsupported: 'Drop' as const } }
    t.same(encodeResponsesRequest({ ...EMPTY, sampling }, drop).dropped, Object.keys(sampling))
  }
  t.end()
})

t.test('R3.4 audio has no form in the Responses API and is refused', (t) => {
  const source = { kind: 'base64' as const, mediaType: 'audio/wav', data: 'UklGRg==' }
  const request: ChatRequest = { ...EMPTY, turns: [{ role: 'user', parts: [{ type: 'audio', source }] }] }
  t.throws(() => encodeResponsesRequest(request, OPENAI), { code: 'KP-PROV-112' })
  t.end()
})

t.test('encrypted reasoning is asked for only where the model reasons, for others answer 400', (t) => {
  const include = (reasons: boolean | undefined, request: ChatRequest) => {
    const capabilities = reasons === undefined ? {} : { reasoning: reasons }
    return encodeResponsesRequest(request, { ...OPENAI, capabilities }).body['include']
  }
  t.same(include(true, EMPTY), ['reasoning.encrypted_content'])
  t.equal(include(false, EMPTY), undefined)
  t.equal(include(undefined, EMPTY), undefined)
  t.same(include(undefined, { ...EMPTY, reasoning: { effort: 'low' } }), ['reasoning.encrypted_content'])
  t.end()
})

t.test('R3.4 stop sequences that say nothing are dropped, not refused', (t) => {
  const { body, dropped } = encodeResponsesRequest({ ...EMPTY, sampling: { stop: [''] } }, OPENAI)
  t.equal('stop' in body, false)
  t.same(dropped, ['stop'])
  t.throws(() => encodeResponsesRequest({ ...EMPTY, sampling: { stop: ['', 'END'] } }, OPENAI), { code: 'KP-PROV-112' })
  t.end()
})

t.test('R3.4 names of users and caches are sent up to OpenAI’s 64 characters, longer ones dropped', (t) => {
  const fits = 'a'.repeat(64)
  const taken = encodeResponsesRequest({ ...EMPTY, user: fits, promptCacheKey: fits }, OPENAI)
  t.match(taken.body, { user: fits, prompt_cache_key: fits })
  t.same(taken.dropped, [])

  const long = JSON.stringify({ device_id: 'd'.repeat(64), account_uuid: '', session_id: 's' })
  const { body, dropped } = encodeResponsesRequest({ ...EMPTY, user: long, promptCacheKey: long }, OPENAI)
  t.equal('user' in body, false)
  t.equal('prompt_cache_key' in body, false)
  t.same(dropped, ['user', 'prompt_cache_key'])
  t.end()
})

t.test(
  'R3.3 call ids above OpenAI’s 64 characters are shortened alike for calls and results, and stay distinct',
  (t) => {
    const ids = ['1', '2', '3'].map((end) => `functions.${'n'.repeat(80)}:${end}`)
    const fits = 'f'.repeat(64)
    const turns: Turn[] = [
      { role: 'assistant', parts: [...ids, fits].map((id) => ({ type: 'tool-call', id, name: 'f', arguments: '{}' })) },
      { role: 'tool', results: [fits, ...ids].map((callId) => textResult(callId, callId)) },
    ]
    // The items of this conversation are calls and their outputs.
    const input = encodeResponsesRequest({ ...EMPTY, turns }, OPENAI).body['input'] as JsonObject[]
    const called = input.slice(0, 4).map((item) => String(item['call_id']))
    t.equal(new Set(called).size, 4)
    t.ok(called.every((id) => id.length <= 64))
    t.equal(called[3], fits, 'what fits stays')
    t.same(
      input.slice(4).map((item) => [item['call_id'], item['output']]),
      [
        [called[3], fits],
        [called[0], ids[0]],
        [called[1], ids[1]],
        [called[2], ids[2]],
      ],
    )
    t.end()
  },
)

t.test('R3.4 what the history loses is counted: cache hints, calls without result, results without call', (t) => {
  const lossOf = (turns: Turn[]) => encodeResponsesRequest({ ...EMPTY, turns }, OPENAI).dropped
  const call: Turn = { role: 'assistant', parts: [{ type: 'tool-call', id: 'c', name: 'f', arguments: '{}' }] }
  t.same(lossOf([call, { role: 'tool', results: [textResult('c', 'r')] }]), [])
  t.same(lossOf([call]), ['messages.tool_call.without_result'])
  t.same(lossOf([{ role: 'tool', results: [textResult('c', 'r')] }]), ['messages.tool_result.without_call'])
  t.same(lossOf([{ role: 'user', parts: [{ type: 'text', text: 'x', cache: {} }] }]), ['cache_control'])
  const cached: ToolResult = { callId: 'c', parts: [{ type: 'text', text: 'r', cache: {} }], isError: false }
  t.same(lossOf([call, { role: 'tool', results: [cached] }]), ['cache_control'])
  t.same(encodeResponsesRequest({ ...EMPTY, system: [{ type: 'text', text: 's', cache: {} }] }, OPENAI).dropped, [
    'cache_control',
  ])
  t.end()
})

function textResult(callId: string, text: string): ToolResult {
  return { callId, parts: [{ type: 'text', text }], isError: false }
}

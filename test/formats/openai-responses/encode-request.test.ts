import { readFileSync } from 'node:fs'
import t from 'tap'
import type { TargetModel } from '#formats/format.ts'
import type { ChatRequest, JsonObject } from '#formats/ir/chat-request.ts'
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

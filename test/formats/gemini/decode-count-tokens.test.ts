import t from 'tap'
import { decodeCountTokensRequest, encodeCountTokensReply } from '#formats/gemini/decode-count-tokens.ts'

t.test('tokens of bare contents and of a whole request can be counted', (t) => {
  const contents = [{ parts: [{ text: 'hi' }] }]
  const turns = [{ role: 'user', parts: [{ type: 'text', text: 'hi' }] }]
  t.same(decodeCountTokensRequest({ contents }, { model: 'm' }).turns, turns)
  const request = { model: 'models/g', contents, systemInstruction: { parts: [{ text: 'sys' }] } }
  const whole = decodeCountTokensRequest({ generateContentRequest: request }, {})
  t.same([whole.model, whole.system, whole.turns], ['g', [{ type: 'text', text: 'sys' }], turns])
  t.same(decodeCountTokensRequest({ generate_content_request: request }, {}).turns, turns)
  t.throws(() => decodeCountTokensRequest({}, { model: 'm' }), { code: 'KP-SYS-516' })
  t.same(encodeCountTokensReply(7), { totalTokens: 7 })
  t.end()
})

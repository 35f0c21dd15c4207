import t from 'tap'
import { decodeCountTokensRequest, encodeCountTokensReply } from '#formats/anthropic/decode-count-tokens.ts'

t.test('R3.2 a count is asked for without max_tokens', (t) => {
  const request = decodeCountTokensRequest({ model: 'm', messages: [{ role: 'user', content: 'hi' }] })
  t.match(request, {
    model: 'm',
    maxOutputTokens: undefined,
    turns: [{ role: 'user', parts: [{ type: 'text', text: 'hi' }] }],
  })
  t.throws(() => decodeCountTokensRequest({ model: 'm' }), { code: 'KP-SYS-516', message: /^messages: / })
  t.end()
})

t.test('R3.2 the reply is one number', (t) => {
  t.strictSame(encodeCountTokensReply(17), { input_tokens: 17 })
  t.end()
})

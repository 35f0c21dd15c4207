import t from 'tap'
import { anthropic } from '#formats/anthropic/anthropic.ts'
import { encodeMessagesRequest } from '#formats/anthropic/encode-request.ts'
import type { TargetModel } from '#formats/format.ts'
import type { ChatRequest, UserPart } from '#formats/ir/chat-request.ts'
import { golden } from '../../helpers/golden.ts'
import { chatRequest, targetModel } from './fixtures.ts'

t.test('R3.3 the intermediate form becomes a Messages request', (t) => {
  golden(t, new URL('../encode/anthropic/', import.meta.url), 'body', (file) => {
    // The files hold the parts of a request and a target that differ from the plain ones.
    const { request, target } = file as { request: Partial<ChatRequest>; target: Partial<TargetModel> }
    const { body, dropped, replyContext } = encodeMessagesRequest(chatRequest(request), targetModel(target))
    return { body, dropped, replyContext: { ...replyContext, toolNames: Object.fromEntries(replyContext.toolNames) } }
  })
  t.end()
})

t.test('R3.3 what Anthropic cannot express is refused', (t) => {
  const user = (part: UserPart): Partial<ChatRequest> => ({ turns: [{ role: 'user', parts: [part] }] })
  const cases: readonly [Partial<ChatRequest>, RegExp][] = [
    [{ sampling: { n: 2 } }, /^n cannot be expressed/],
    [{ sampling: { logprobs: true } }, /^logprobs cannot be expressed/],
    [user({ type: 'audio', source: { kind: 'base64', mediaType: 'audio/wav', data: '' } }), /^input_audio/],
    [user({ type: 'image', source: { kind: 'file', id: 'file-1' } }), /^image/],
    [
      user({ type: 'document', source: { kind: 'base64', mediaType: 'application/msword', data: '' } }),
      /documents of type application\/msword/,
    ],
    [
      {
        tools: [
          {
            name: 'f',
            description: undefined,
            parameters: { type: 'array' },
            strict: undefined,
            origin: { kind: 'function' },
          },
        ],
      },
      /^tools\.f .* must be an object/,
    ],
  ]
  for (const [request, message] of cases) {
    t.throws(() => encodeMessagesRequest(chatRequest(request), targetModel({})), { code: 'KP-PROV-112', message })
  }
  t.end()
})

t.test('a file that is not text is refused as the client’s mistake', (t) => {
  const source = { kind: 'base64', mediaType: 'text/plain', data: '/w==' } as const
  const request = chatRequest({ turns: [{ role: 'user', parts: [{ type: 'document', source }] }] })
  t.throws(() => anthropic.encodeRequest?.(request, targetModel({})), { code: 'KP-SYS-516' })
  t.end()
})

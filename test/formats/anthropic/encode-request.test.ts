import t from 'tap'
import { anthropic } from '#formats/anthropic/anthropic.ts'
import { encodeMessagesRequest } from '#formats/anthropic/encode-request.ts'
import type { TargetModel } from '#formats/format.ts'
import type { ChatRequest, JsonObject, UserPart } from '#formats/ir/chat-request.ts'
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

function withTool(parameters: JsonObject): Partial<ChatRequest> {
  return {
    tools: [{ name: 'f', description: undefined, parameters, strict: undefined, origin: { kind: 'function' } }],
  }
}

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
    ...['image/svg+xml', 'application/octet-stream'].map((mediaType): [Partial<ChatRequest>, RegExp] => [
      user({ type: 'image', source: { kind: 'base64', mediaType, data: '' } }),
      /^image .* (image\/svg\+xml|application\/octet-stream) are not taken, only image\/jpeg, image\/png, image\/gif, image\/webp/,
    ]),
    [withTool({ type: 'array' }), /^tools\.f .* must be an object/],
    [withTool({ anyOf: [{ type: 'array' }, { type: 'string' }] }), /^tools\.f .* must be an object/],
    [withTool({ $ref: '#/$defs/A', $defs: { A: { type: 'array' } } }), /^tools\.f .* must be an object/],
    [withTool({ $ref: '#/$defs/A', $defs: { A: { $ref: '#/$defs/A' } } }), /^tools\.f .* must be an object/],
  ]
  for (const [request, message] of cases) {
    t.throws(() => encodeMessagesRequest(chatRequest(request), targetModel({})), { code: 'KP-PROV-112', message })
  }
  t.end()
})

t.test('a tool whose references double at every step is written without growing', (t) => {
  const levels = Array.from({ length: 38 }, (_, level): [string, JsonObject] => {
    const next = { $ref: `#/$defs/L${level + 1}` }
    const described = (type: string): JsonObject => ({ allOf: [next, { properties: { p: { type, minimum: level } } }] })
    return [`L${level}`, { anyOf: [described('string'), described('number')] }]
  })
  const parameters = { $ref: '#/$defs/L0', $defs: Object.fromEntries(levels) }
  const { body } = encodeMessagesRequest(chatRequest(withTool(parameters)), targetModel({}))
  t.ok(JSON.stringify(body).length < 1_000_000)
  t.end()
})

t.test('a file that is not text is refused as the client’s mistake', (t) => {
  const source = { kind: 'base64', mediaType: 'text/plain', data: '/w==' } as const
  const request = chatRequest({ turns: [{ role: 'user', parts: [{ type: 'document', source }] }] })
  t.throws(() => anthropic.encodeRequest?.(request, targetModel({})), { code: 'KP-SYS-516' })
  t.end()
})

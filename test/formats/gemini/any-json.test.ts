import fc from 'fast-check'
import t from 'tap'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { TargetModel } from '#formats/format.ts'
import { encodeGeminiRequest } from '#formats/gemini/encode-request.ts'
import { gemini } from '#formats/gemini/gemini.ts'
import type { JsonObject, JsonValue } from '#formats/ir/chat-request.ts'

const KEYS = [
  ...[
    'contents',
    'role',
    'parts',
    'text',
    'thought',
    'thoughtSignature',
    'inlineData',
    'mimeType',
    'data',
    'functionCall',
    'name',
  ],
  ...[
    'args',
    'id',
    'functionResponse',
    'response',
    'tools',
    'functionDeclarations',
    'parameters',
    'generationConfig',
    'logprobs',
  ],
  ...[
    'candidates',
    'content',
    'finishReason',
    'index',
    'usageMetadata',
    'promptTokenCount',
    'promptFeedback',
    'blockReason',
  ],
  ...[
    'partialArgs',
    'jsonPath',
    'willContinue',
    'groundingMetadata',
    'groundingChunks',
    'logprobsResult',
    'error',
    'code',
  ],
]
const { object } = fc.letrec<{ object: JsonObject; value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'medium' },
    fc.constantFrom('user', 'model', 'STOP', '$.a[0]', 'image/png', 'a3AxLg', '', 0, 1, -1, true, null),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('object'),
  ),
  object: fc.dictionary(fc.constantFrom(...KEYS), tie('value'), { maxKeys: 6, noNullPrototype: true }),
}))
const TARGET: TargetModel = {
  id: 'm',
  issuer: 'gemini',
  capabilities: { thinkingLevel: true },
  quirks: { onUnsupported: 'Error', openApiSchemas: true },
}

function onlyKnownErrors(run: () => unknown): void {
  try {
    run()
  } catch (error) {
    if (!(error instanceof KorProxyError)) throw error
  }
}

t.test('R8.2 any JSON as a request is translated or refused with a code', (t) => {
  const contents = fc.array(
    fc.record({ role: fc.constantFrom('user', 'model', ''), parts: fc.array(object, { maxLength: 3 }) }),
    { maxLength: 4 },
  )
  fc.assert(
    fc.property(object, contents, (rest, contents) => {
      const body = { ...rest, contents }
      onlyKnownErrors(() => encodeGeminiRequest(gemini.decodeRequest(body, { model: 'm' }), TARGET))
    }),
    { numRuns: 300 },
  )
  t.end()
})

t.test('R8.2 any JSON as a reply is read or refused with a code', (t) => {
  const context = { issuer: 'gemini', toolNames: new Map<string, string>(), jsonTool: undefined }
  const candidate = fc.record({
    content: fc.record({ parts: fc.array(object, { maxLength: 3 }) }),
    finishReason: fc.constant('STOP'),
  })
  fc.assert(
    fc.property(object, fc.array(candidate, { maxLength: 2 }), (rest, candidates) => {
      onlyKnownErrors(() => gemini.decodeReply(rest, context))
      onlyKnownErrors(() =>
        gemini.decodeReply({ ...rest, candidates, error: undefined } as unknown as JsonObject, context),
      )
    }),
    { numRuns: 300 },
  )
  t.end()
})

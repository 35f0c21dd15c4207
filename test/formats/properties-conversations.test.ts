import fc from 'fast-check'
import t from 'tap'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type {
  AssistantPart,
  ChatRequest,
  JsonObject,
  ResponseFormat,
  Tool,
  ToolResult,
  Turn,
  UserPart,
} from '#formats/ir/chat-request.ts'
import { checkMessages } from '#simulator/anthropic/check-messages.ts'
import type { CallContext, Refusal } from '#simulator/call-context.ts'
import { checkGenerate } from '#simulator/gemini/check-generate.ts'
import type { JsonMap } from '#simulator/json-value.ts'
import { checkOllamaChat } from '#simulator/ollama/check-ollama.ts'
import { checkChat } from '#simulator/openai/check-chat.ts'
import { checkResponses } from '#simulator/openai/check-responses.ts'
import { SEED } from './pairs/mutate.ts'
import { OTHER_TARGETS, TARGETS, type Target } from './pairs/targets.ts'

const CHECKS: Readonly<Record<string, (body: JsonMap, context: CallContext) => Refusal | undefined>> = {
  'openai-chat': checkChat,
  'openai-responses': checkResponses,
  anthropic: checkMessages,
  gemini: checkGenerate,
  'ollama-chat': checkOllamaChat,
}
const DIALECTS: Readonly<Record<string, CallContext['dialect']>> = {
  'openai-chat': 'openai',
  'openai-responses': 'openai',
  anthropic: 'anthropic',
  gemini: 'gemini',
  'ollama-chat': 'ollama',
}

/** What the provider's own validation says of a body. */
function refusalOf({ format, model, headers }: Target, body: JsonObject): Refusal | undefined {
  const context: CallContext = {
    dialect: DIALECTS[format.name] ?? 'openai',
    operation: 'chat',
    provider: 'openai',
    model: model.id,
    modelName: model.id,
    headers,
    query: new URLSearchParams(),
    nowMs: 0,
    tuning: {},
    mintId: (prefix) => prefix,
  }
  return CHECKS[format.name]?.(JSON.parse(JSON.stringify(body)), context)
}

const text = fc.record({
  type: fc.constant('text' as const),
  text: fc.constantFrom('', ' ', '\n', 'word', 'two words '),
})
const id = fc.constantFrom('', 'a', 'b', 'b.', 'b/', 'ü', 'call_1')
const PNG = { kind: 'base64', mediaType: 'image/png', data: 'iVBORw0KGgo=' } as const
const userPart = fc.oneof<fc.Arbitrary<UserPart>[]>(
  text,
  fc.constant({ type: 'image', source: PNG, detail: 'high' }),
  fc.constant({ type: 'image', source: { kind: 'url', url: 'https://example.com/a.png' } }),
  fc.constant({ type: 'document', source: { kind: 'text', text: 'notes' }, title: 'n' }),
  fc.constant({ type: 'document', source: { kind: 'base64', mediaType: 'application/pdf', data: 'JVBERi0xLjQK' } }),
)
const signature = fc.record({
  issuer: fc.constantFrom('anthropic', 'gemini', 'openai', undefined),
  value: fc.constantFrom('bW9jay1hbnRocm9waWMtc2lnbmF0dXJl'),
})
const NAMES = ['f', 'a tool', '1st', 'x'.repeat(140), 'ü', 'ns:v.2']
const assistantPart = fc.oneof<fc.Arbitrary<AssistantPart>[]>(
  text,
  fc.record({
    type: fc.constant('thinking' as const),
    text: fc.constant('t'),
    signature: signature.map((it) => ({ ...it, issuer: 'anthropic' })),
  }),
  fc.constant({ type: 'thinking', text: 'unsigned' }),
  fc.constant({ type: 'redacted-thinking', data: { issuer: 'openai', value: 'x' } }),
  fc.record({ type: fc.constant('refusal' as const), text: fc.constantFrom('', 'no') }),
  fc.record({
    type: fc.constant('tool-call' as const),
    id,
    name: fc.constantFrom(...NAMES),
    arguments: fc.constantFrom('', '{}', '{"x":1}', '{"x', '[]', 'null', '3', '"s"'),
  }),
)
const result: fc.Arbitrary<ToolResult> = fc.record({
  callId: id,
  parts: fc.array(fc.oneof(text, fc.constant({ type: 'image' as const, source: PNG })), { maxLength: 2 }),
  isError: fc.boolean(),
})
const turn = fc.oneof<fc.Arbitrary<Turn>[]>(
  fc.record({ role: fc.constant('user' as const), parts: fc.array(userPart, { maxLength: 2 }) }),
  fc.record({ role: fc.constant('assistant' as const), parts: fc.array(assistantPart, { maxLength: 4 }) }),
  fc.record({ role: fc.constant('tool' as const), results: fc.array(result, { maxLength: 3 }) }),
  fc.record({ role: fc.constant('system' as const), parts: fc.array(text, { maxLength: 2 }) }),
)
const SCHEMAS: (JsonObject | undefined)[] = [
  undefined,
  {},
  { type: 'object' },
  { properties: { a: { type: 'string' } } },
  { type: 'object', properties: { a: { type: ['string', 'null'] }, b: { const: 1 } }, required: ['a', 'zz'] },
  {
    type: 'object',
    properties: { a: { $ref: '#/$defs/n' } },
    $defs: { n: { type: 'object', properties: { n: { $ref: '#/$defs/n' } } } },
  },
  {
    anyOf: [
      { type: 'object', properties: { a: {} }, required: ['a'] },
      { type: 'object', properties: { b: { enum: [1, '', null] } } },
    ],
  },
  {
    $schema: 'x',
    type: 'object',
    properties: { a: { type: 'array' }, b: { type: 'integer', exclusiveMinimum: 0, format: 'uint8' } },
    additionalProperties: true,
  },
]
const tool = fc
  .record({
    name: fc.constantFrom(...NAMES),
    parameters: fc.constantFrom(...SCHEMAS),
    strict: fc.constantFrom(undefined, true, false),
  })
  .map((fields): Tool => ({ ...fields, description: 'd', origin: { kind: 'function' } }))
const formats: fc.Arbitrary<ResponseFormat | undefined> = fc.oneof(
  fc.constantFrom<(ResponseFormat | undefined)[]>(undefined, { type: 'text' }, { type: 'json' }),
  fc.record({
    type: fc.constant('json-schema' as const),
    name: fc.constantFrom('answer', 'an answer!', ''),
    schema: fc.constantFrom<JsonObject[]>(...SCHEMAS.filter((schema) => schema !== undefined), {
      type: 'array',
      items: { type: 'string' },
    }),
    strict: fc.boolean(),
  }),
)
const requests: fc.Arbitrary<ChatRequest> = fc
  .record({
    system: fc.array(text, { maxLength: 2 }),
    turns: fc.array(turn, { maxLength: 8 }),
    tools: fc.uniqueArray(tool, { maxLength: 3, selector: ({ name }) => name }),
    toolChoice: fc.constantFrom<ChatRequest['toolChoice'][]>(
      undefined,
      { type: 'auto' },
      { type: 'required' },
      { type: 'none' },
      { type: 'tools', names: ['f'], mode: 'required' },
      { type: 'tools', names: ['f', 'a tool'], mode: 'auto' },
    ),
    parallelToolCalls: fc.constantFrom(undefined, false, true),
    maxOutputTokens: fc.constantFrom(undefined, 1, 5000, 1_000_000),
    responseFormat: formats,
    reasoning: fc.constantFrom<ChatRequest['reasoning'][]>(
      undefined,
      { effort: 'none' },
      { effort: 'minimal' },
      { effort: 'max', includeThoughts: true },
      { budgetTokens: 9000 },
      { budgetTokens: 0 },
      { adaptive: true },
    ),
    sampling: fc.constantFrom<ChatRequest['sampling'][]>(
      {},
      { temperature: 0 },
      { temperature: 2, topP: 1, topK: 3, stop: ['', 'x', ' ', '1', '2', '3', '4'] },
      { seed: 1, presencePenalty: 2, frequencyPenalty: -2 },
    ),
    stream: fc.boolean(),
  })
  .map((fields) => ({
    ...fields,
    model: 'alias',
    includeUsage: true,
    user: 'u',
    serviceTier: undefined,
    promptCacheKey: undefined,
    dropped: [],
  }))

/** A tool that is chosen is one that is offered: decoders see to it. */
function consistent(request: ChatRequest): ChatRequest {
  const { toolChoice, tools } = request
  const offered = toolChoice?.type !== 'tools' || toolChoice.names.every((name) => tools.some((it) => it.name === name))
  return offered ? request : { ...request, toolChoice: undefined }
}

for (const [title, target] of Object.entries({ ...TARGETS, ...OTHER_TARGETS })) {
  t.test(`R3.3 property: whatever the conversation, what is written for ${title} is taken by its provider`, (t) => {
    fc.assert(
      fc.property(requests, (request) => {
        let body: JsonObject | undefined
        try {
          body = target.format.encodeRequest?.({ ...consistent(request), model: target.model.id }, target.model).body
        } catch (error) {
          if (error instanceof KorProxyError && error.status === 400) return
          throw error
        }
        const refusal = refusalOf(target, body ?? {})
        if (refusal !== undefined) throw new Error(`${refusal.message}\n${JSON.stringify(body)}`)
      }),
      { seed: SEED, numRuns: 500 },
    )
    t.end()
  })
}

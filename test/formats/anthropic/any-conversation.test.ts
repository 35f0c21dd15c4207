import fc from 'fast-check'
import t from 'tap'
import { encodeMessagesRequest } from '#formats/anthropic/encode-request.ts'
import type { TargetModel } from '#formats/format.ts'
import type { AssistantPart, ChatRequest, ToolResult, Turn, UserPart } from '#formats/ir/chat-request.ts'
import { checkMessages } from '#simulator/anthropic/check-messages.ts'
import { ANTHROPIC_SIGNATURE } from '#simulator/anthropic/messages-reply.ts'
import type { CallContext } from '#simulator/call-context.ts'
import { type JsonMap, listOf, textOf } from '#simulator/json-value.ts'
import { chatRequest, targetModel } from './fixtures.ts'

const PROVIDER: CallContext = {
  dialect: 'anthropic',
  operation: 'messages',
  provider: 'anthropic',
  model: 'claude-test',
  modelName: 'claude-test',
  headers: { 'anthropic-version': '2023-06-01' },
  query: new URLSearchParams(),
  nowMs: 0,
  tuning: {},
  mintId: (prefix) => prefix,
}

const text = fc.record({
  type: fc.constant('text' as const),
  text: fc.constantFrom('', ' ', '\n', 'word', 'two words '),
})
const id = fc.constantFrom('', 'a', 'b', 'b.', 'b/', 'ü')
const image = fc.constant<UserPart>({ type: 'image', source: { kind: 'url', url: 'https://example.com/a.png' } })
const signature = fc.record({
  issuer: fc.constantFrom('anthropic', 'openai', undefined),
  value: fc.constant(ANTHROPIC_SIGNATURE),
})
const assistantPart = fc.oneof<fc.Arbitrary<AssistantPart>[]>(
  text,
  fc.record({ type: fc.constant('thinking' as const), text: fc.constant('t'), signature }),
  fc.record({ type: fc.constant('redacted-thinking' as const), data: signature }),
  fc.record({ type: fc.constant('refusal' as const), text: fc.constantFrom('', 'no') }),
  fc.record({
    type: fc.constant('tool-call' as const),
    id,
    name: fc.constantFrom('f', 'a tool', 'x'.repeat(140)),
    arguments: fc.constantFrom('', '{}', '{"x":1}', '{"x', '[]', 'null'),
  }),
)
const result: fc.Arbitrary<ToolResult> = fc.record({
  callId: id,
  parts: fc.array(text, { maxLength: 2 }),
  isError: fc.boolean(),
})
const turn = fc.oneof<fc.Arbitrary<Turn>[]>(
  fc.record({ role: fc.constant('user' as const), parts: fc.array(fc.oneof(text, image), { maxLength: 2 }) }),
  fc.record({ role: fc.constant('assistant' as const), parts: fc.array(assistantPart, { maxLength: 4 }) }),
  fc.record({ role: fc.constant('tool' as const), results: fc.array(result, { maxLength: 3 }) }),
  fc.record({ role: fc.constant('system' as const), parts: fc.array(text, { maxLength: 2 }) }),
)
const request: fc.Arbitrary<Partial<ChatRequest>> = fc.record({
  system: fc.array(text, { maxLength: 2 }),
  turns: fc.array(turn, { maxLength: 8 }),
  maxOutputTokens: fc.constantFrom(undefined, 1, 5000),
  reasoning: fc.constantFrom(undefined, { effort: 'none' }, { effort: 'xhigh' }, { budgetTokens: 9000 }),
  toolChoice: fc.constantFrom(undefined, { type: 'required' }, { type: 'none' }),
  parallelToolCalls: fc.constantFrom(undefined, false),
  sampling: fc.constantFrom({}, { temperature: 2, topP: 1, topK: 3, stop: ['', 'x'] }),
})
const target: fc.Arbitrary<Partial<TargetModel>> = fc.record(
  {
    maxOutputTokens: fc.constantFrom(4096, 64_000),
    capabilities: fc.record({ midSystem: fc.boolean(), prefill: fc.boolean(), adaptiveThinking: fc.boolean() }),
  },
  { requiredKeys: [] },
)

/** `role: system` stands right behind a user message, and an assistant message or nothing follows. */
function checkSystemPlaces(messages: readonly unknown[]): string | undefined {
  const roles = messages.map((message) => textOf(message, 'role')).join(' ')
  return /^system|assistant system|system system|system user/.test(roles) ? `roles ${roles}` : undefined
}

t.test('R3.3 whatever the conversation, the request keeps all of Anthropic’s rules', (t) => {
  const property = fc.property(request, target, (parts, model) => {
    const { body } = encodeMessagesRequest(chatRequest(parts), targetModel(model))
    // A JSON object by type.
    const wire = body as JsonMap
    const refusal = checkMessages(wire, PROVIDER)?.message ?? checkSystemPlaces(listOf(wire, 'messages'))
    if (refusal !== undefined) throw new Error(`${refusal}\n${JSON.stringify(body)}`)
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }))
  t.end()
})

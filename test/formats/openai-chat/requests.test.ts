import t from 'tap'
import type { TargetModel } from '#formats/format.ts'
import type { ChatRequest, JsonObject } from '#formats/ir/chat-request.ts'
import { openaiChat } from '#formats/openai-chat/openai-chat.ts'
import { golden } from '../../helpers/golden.ts'

/** A server that imitates OpenAI and of which nothing is known. */
const COMPATIBLE: TargetModel = {
  id: 'some-model',
  issuer: 'unknown',
  capabilities: {},
  quirks: { onUnsupported: 'Error' },
}

const OPENAI: TargetModel = {
  id: 'gpt-5',
  issuer: 'openai',
  maxOutputTokens: 16_384,
  capabilities: { reasoning: true, sampling: false, forcedToolUse: true },
  quirks: { onUnsupported: 'Error', maxTokensField: 'max_completion_tokens', midSystemAs: 'system' },
}

/** DeepSeek and the like: thinking is sent back, no system message in the middle, no JSON schema. */
const REASONER: TargetModel = {
  id: 'reasoner',
  issuer: 'anthropic',
  maxOutputTokens: 8192,
  capabilities: { reasoning: true, jsonSchema: false, forcedToolUse: false },
  quirks: { onUnsupported: 'Error', replayReasoning: true, midSystemAs: 'user', streamUsage: false },
}

const TARGETS = { 'openai-compatible': COMPATIBLE, openai: OPENAI, reasoner: REASONER }

const REQUESTS = new URL('../requests/openai-chat/', import.meta.url)
const INTERMEDIATE = new URL('../encode/openai-chat/', import.meta.url)

function encode(request: ChatRequest, target: TargetModel): unknown {
  const { body, dropped, replyContext } = openaiChat.encodeRequest?.(request, target) ?? {}
  return { body, dropped, toolNames: Object.fromEntries(replyContext?.toolNames ?? []) }
}

t.test('R3.2 every kind of chat request is read into the intermediate form', (t) => {
  // Golden inputs are JSON.
  golden(t, REQUESTS, 'ir', (body) => openaiChat.decodeRequest(body as JsonObject, {}))
  t.end()
})

for (const [name, target] of Object.entries(TARGETS)) {
  t.test(`R3.2 chat requests are written for ${name}`, (t) => {
    // Golden inputs are JSON.
    golden(t, REQUESTS, name, (body) => encode(openaiChat.decodeRequest(body as JsonObject, {}), target))
    // The file is in the intermediate form.
    golden(t, INTERMEDIATE, name, (request) => encode(request as ChatRequest, target))
    t.end()
  })
}

t.test(
  'R3.2 a call id that OpenAI refuses for its length is shortened alike in the call and its result, others take it',
  (t) => {
    const id = `call_${'x'.repeat(40)}__thought__${'c2ln'.repeat(20)}`
    const request = openaiChat.decodeRequest(
      {
        model: 'm',
        messages: [
          { role: 'user', content: 'go' },
          { role: 'assistant', tool_calls: [{ id, type: 'function', function: { name: 'f', arguments: '{}' } }] },
          { role: 'tool', tool_call_id: id, content: 'done' },
        ],
      },
      {},
    )
    const sentTo = (target: TargetModel) => {
      // The messages of this conversation, as just written.
      const messages = (openaiChat.encodeRequest?.(request, target).body['messages'] ?? []) as JsonObject[]
      const calls = (messages[1]?.['tool_calls'] ?? []) as JsonObject[]
      return { ids: [calls[0]?.['id'], messages[2]?.['tool_call_id']], extra: calls[0]?.['extra_content'] }
    }
    t.same(sentTo(OPENAI).ids, [id.slice(0, 64), id.slice(0, 64)])
    t.same(sentTo(COMPATIBLE).ids, [id, id])
    const signature = { google: { thought_signature: 'c2ln'.repeat(20) } }
    t.same(sentTo({ ...COMPATIBLE, issuer: 'gemini' }), { ids: [id, id], extra: signature })
    t.end()
  },
)

t.test('R3.2 a name of a cache above OpenAI’s 64 characters is dropped', (t) => {
  const request = openaiChat.decodeRequest(
    { model: 'm', messages: [{ role: 'user', content: 'hi' }], prompt_cache_key: 'k'.repeat(65) },
    {},
  )
  const { body, dropped } = openaiChat.encodeRequest?.(request, OPENAI) ?? {}
  t.equal(body?.['prompt_cache_key'], undefined)
  t.same(dropped, ['prompt_cache_key'])
  t.end()
})

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

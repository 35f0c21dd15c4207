import type { ClientContext, TargetModel } from '#formats/format.ts'
import type { ChatRequest } from '#formats/ir/chat-request.ts'

/** A request that asks for nothing special, with changes. */
export function chatRequest(changes: Partial<ChatRequest>): ChatRequest {
  return {
    model: 'client-model',
    stream: false,
    includeUsage: true,
    system: [],
    turns: [],
    tools: [],
    toolChoice: undefined,
    parallelToolCalls: undefined,
    sampling: {},
    maxOutputTokens: undefined,
    responseFormat: undefined,
    reasoning: undefined,
    user: undefined,
    serviceTier: undefined,
    promptCacheKey: undefined,
    dropped: [],
    ...changes,
  }
}

/** A model of which nothing is known, with changes. */
export function targetModel(changes: Partial<TargetModel>): TargetModel {
  return { id: 'claude-test', issuer: 'anthropic', capabilities: {}, quirks: { onUnsupported: 'Error' }, ...changes }
}

export function clientContext(): ClientContext {
  let count = 0
  return {
    request: chatRequest({ stream: true }),
    now: 1_763_700_000_000,
    newId: () => {
      count += 1
      return `new${count}`
    },
    estimatedInputTokens: 42,
  }
}

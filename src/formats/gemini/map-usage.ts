import type { ClientContext } from '../format.ts'
import type { Usage } from '../ir/chat-event.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import { readServiceTier } from '../ir/service-tier.ts'
import { present } from './present.ts'
import type { UsageMetadata } from './reply-chunk.ts'

/**
 * Google counts thoughts apart from the answer; the tokens of tool results are within the prompt in some replies and beside it in
 * others, which the total tells.
 * @see https://ai.google.dev/api/generate-content#UsageMetadata
 */
export function readGeminiUsage(metadata: UsageMetadata): Usage {
  const { promptTokenCount: prompt, candidatesTokenCount: answer, thoughtsTokenCount: thoughts } = metadata
  const toolUse = metadata.toolUsePromptTokenCount ?? 0
  const output = answer === undefined && thoughts === undefined ? undefined : (answer ?? 0) + (thoughts ?? 0)
  const beside = metadata.totalTokenCount === (prompt ?? 0) + toolUse + (output ?? 0)
  return present({
    input: prompt === undefined ? undefined : prompt + (beside ? toolUse : 0),
    cachedInput: metadata.cachedContentTokenCount,
    output,
    reasoning: thoughts,
    serviceTier: readServiceTier(metadata.serviceTier),
  })
}

/** A provider that did not count the prompt (Ollama, of one that it had cached) leaves it to the estimate. */
export function writeGeminiUsage(usage: Usage, context: ClientContext): JsonObject {
  const { input = context.estimatedInputTokens, output, reasoning = 0 } = usage
  return present({
    promptTokenCount: input,
    cachedContentTokenCount: usage.cachedInput,
    candidatesTokenCount: output === undefined ? undefined : Math.max(output - reasoning, 0),
    thoughtsTokenCount: usage.reasoning,
    totalTokenCount: input + (output ?? 0),
  })
}

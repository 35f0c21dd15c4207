import { classifyFailure, type ProviderError } from '../classify-failure.ts'
import { openaiProvider } from '../openai/openai.ts'
import type { Provider } from '../provider.ts'
import { member, parseBody, readOpenAIError, textMember } from '../read-error-body.ts'

/** An OpenAI account that speaks Responses only, as coding models do. @see https://platform.openai.com/docs/api-reference/responses */
export const codexProvider: Provider = {
  ...openaiProvider,
  name: 'Codex',
  chatFormats: () => ['openai-responses'],
  embeddingFormats: () => [],
  forwardedRequestHeaders: [...openaiProvider.forwardedRequestHeaders, 'session-id', 'originator'],
  forwardedReplyHeaders: [...openaiProvider.forwardedReplyHeaders, 'x-codex-*'],
  classifyFailure: (reply, nowMs) => classifyFailure({ readError: readPlanError }, reply, nowMs),
}

/** Plan limits tell in the body when they end: `{"error": {"type": "usage_limit_reached", "resets_in_seconds": 120, "resets_at": 1763720000}}`. */
function readPlanError(body: string, nowMs: number): ProviderError {
  const error = member(parseBody(body), 'error')
  const seconds = Number(textMember(error, 'resets_in_seconds'))
  const waitMs = seconds > 0 ? seconds * 1000 : Number(textMember(error, 'resets_at')) * 1000 - nowMs
  return { ...readOpenAIError(body), ...(waitMs > 0 ? { retryAfterMs: waitMs } : {}) }
}

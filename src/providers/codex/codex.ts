import { baseUrl } from '../build-url.ts'
import { classifyFailure, type ProviderError } from '../classify-failure.ts'
import { openaiTarget } from '../openai/chat-paths.ts'
import { OPENAI_BASE_URL, openaiProvider } from '../openai/openai.ts'
import type { Provider } from '../provider.ts'
import { member, parseBody, readOpenAIError, textMember } from '../read-error-body.ts'

/** An OpenAI account that speaks Responses only, as coding models do. @see https://platform.openai.com/docs/api-reference/responses */
export const codexProvider: Provider = {
  ...openaiProvider,
  name: 'Codex',
  chatFormats: () => ['openai-responses'],
  embeddingFormats: () => [],
  target: (call) => openaiTarget(baseUrl(call.account, OPENAI_BASE_URL), call),
  forwardedRequestHeaders: [...openaiProvider.forwardedRequestHeaders, 'session-id', 'originator'],
  forwardedReplyHeaders: [...openaiProvider.forwardedReplyHeaders, 'x-codex-*'],
  classifyFailure: (reply, nowMs) => classifyFailure({ readError: readPlanError }, reply, nowMs),
}

/** Plan limits tell in the body when they end: `{"error": {"type": "usage_limit_reached", "resets_in_seconds": 120}}`. */
function readPlanError(body: string): ProviderError {
  const error = readOpenAIError(body)
  const seconds = Number(textMember(member(parseBody(body), 'error'), 'resets_in_seconds'))
  return seconds > 0 ? { ...error, retryAfterMs: seconds * 1000 } : error
}

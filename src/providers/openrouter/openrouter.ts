import type { Account } from '#table/routing-table.ts'
import { baseUrl, withApiPath } from '../build-url.ts'
import { classifyFailure, type ProviderError } from '../classify-failure.ts'
import { openaiTarget } from '../openai/chat-paths.ts'
import { OPENAI_REPLY_HEADERS, OPENAI_REQUEST_HEADERS } from '../openai/openai.ts'
import { readOpenAIRateLimits } from '../openai/rate-limits.ts'
import type { Provider } from '../provider.ts'
import { member, parseBody, readOpenAIError, textMember } from '../read-error-body.ts'

const OPENROUTER_BASE_URL = 'https://openrouter.ai/api/v1'

/** @see https://openrouter.ai/docs/api/reference/overview */
export const openrouterProvider: Provider = {
  name: 'OpenRouter',
  telemetryName: 'openrouter',
  chatFormats: () => ['openai-chat', 'openai-completions'],
  embeddingFormats: () => ['openai-embeddings'],
  countsTokens: () => false,
  target: (call) => openaiTarget(openrouterBase(call.account), call),
  headers: ({ account }, secret) => ({
    ...account.headers,
    ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }),
  }),
  defaultHeaders: {},
  forwardedRequestHeaders: [...OPENAI_REQUEST_HEADERS, 'http-referer', 'x-title'],
  forwardedReplyHeaders: [...OPENAI_REPLY_HEADERS, 'x-generation-id'],
  classifyFailure: (reply, nowMs) =>
    classifyFailure(
      {
        readError: readOpenRouterError,
        overloaded: /model is down|no available model provider|overloaded/i,
        // The quota of a pool that all customers share comes back soon.
        rateLimitCode: /upstream_provider_shared_pool/,
      },
      reply,
      nowMs,
    ),
  readRateLimits: readOpenAIRateLimits,
  quirks: () => ({ maxTokensField: 'max_tokens', midSystemAs: 'system', replayReasoning: true, streamUsage: true }),
  issuer: (_account, model) => model.split('/')[0] ?? 'openrouter',
  capabilities: () => ({}),
  healthCheck: (account) => ({ url: `${openrouterBase(account)}/key`, method: 'GET' }),
}

function openrouterBase(account: Account): string {
  return withApiPath(baseUrl(account, OPENROUTER_BASE_URL), '/api/v1')
}

/**
 * "Provider returned error" says nothing by itself; the words of the provider behind stand beside it.
 * @see https://openrouter.ai/docs/api/reference/errors-and-debugging
 */
function readOpenRouterError(body: string, nowMs: number): ProviderError {
  const error = readOpenAIError(body)
  const metadata = member(member(parseBody(body), 'error'), 'metadata')
  const { message } = readOpenAIError(textMember(metadata, 'raw'))
  const words = `${error.words} ${textMember(metadata, 'limit_source')}`.trim()
  const told = message === '' ? error.message : `${error.message}: ${message}`
  const ofModel = textMember(metadata, 'provider_name') !== '' || OF_SOME_MODELS.test(`${words} ${told}`)
  return {
    words,
    message: told,
    retryAfterMs: untilReset(textMember(member(metadata, 'headers'), 'X-RateLimit-Reset'), nowMs),
    scope: ofModel ? 'model' : undefined,
  }
}

/** Limits of a provider behind, of a crowded model, or of the free models, none of which holds for the other models of an account. */
const OF_SOME_MODELS = /upstream_provider|rate-limited upstream|high demand for|free-models-per-/i

/** Unix time in milliseconds; a wait when it lies ahead. */
function untilReset(text: string, nowMs: number): number | undefined {
  const waitMs = /^\d{13}$/.test(text) ? Number(text) - nowMs : 0
  return waitMs > 0 ? waitMs : undefined
}

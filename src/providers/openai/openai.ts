import type { ModelCapabilities } from '#formats/format.ts'
import type { Account } from '#table/routing-table.ts'
import { baseUrl, withApiPath } from '../build-url.ts'
import { classifyFailure } from '../classify-failure.ts'
import type { Provider } from '../provider.ts'
import { readOpenAIError } from '../read-error-body.ts'
import { openaiTarget } from './chat-paths.ts'
import { readOpenAIRateLimits } from './rate-limits.ts'

const OPENAI_BASE_URL = 'https://api.openai.com/v1'

/** Request headers that OpenAI-like servers read; credentials and SDK telemetry stay behind. */
export const OPENAI_REQUEST_HEADERS: readonly string[] = ['openai-beta', 'idempotency-key', 'traceparent', 'tracestate']
export const OPENAI_REPLY_HEADERS: readonly string[] = [
  'x-ratelimit-*',
  'openai-processing-ms',
  'openai-version',
  'openai-model',
]

/** Models that think: they refuse `stop` and sampling, and want `max_completion_tokens`. */
const REASONING_MODEL = /^(?:o\d|gpt-5|codex)/
/** Models that answer 400 to every depth of reasoning. */
const PLAIN_MODEL = /^(?:ft:)?(?:gpt-[34]|chatgpt-4o)/
/** Of those that think: the first ones, and those for code, cannot be told not to. @see https://platform.openai.com/docs/guides/reasoning */
const ALWAYS_THINKS = /^(?:o\d|codex|gpt-5(?:-mini|-nano|-pro)?(?:-\d{4}-\d{2}-\d{2})?$|gpt-5[\d.]*-codex)/

/** @see https://platform.openai.com/docs/api-reference */
export const openaiProvider: Provider = {
  name: 'OpenAI',
  telemetryName: 'openai',
  chatFormats: (_account, model) =>
    /^gpt-[\d.]+-(?:codex|pro)|^o\d-pro/.test(model)
      ? ['openai-responses']
      : ['openai-chat', 'openai-responses', 'openai-completions'],
  embeddingFormats: () => ['openai-embeddings'],
  countsTokens: () => false,
  target: (call) => openaiTarget(openaiBase(call.account), call),
  headers: ({ account }, secret) => {
    const headers: Record<string, string> = { ...account.headers }
    if (secret !== undefined) headers['authorization'] = `Bearer ${secret}`
    if (account.organization !== undefined) headers['openai-organization'] = account.organization
    if (account.project !== undefined) headers['openai-project'] = account.project
    return headers
  },
  defaultHeaders: {},
  forwardedRequestHeaders: OPENAI_REQUEST_HEADERS,
  forwardedReplyHeaders: OPENAI_REPLY_HEADERS,
  classifyFailure: (reply, nowMs) => classifyFailure({ readError: readOpenAIError }, reply, nowMs),
  readRateLimits: readOpenAIRateLimits,
  quirks: () => ({ maxTokensField: 'max_completion_tokens', midSystemAs: 'system', streamUsage: true }),
  issuer: () => 'openai',
  capabilities: openaiCapabilities,
  healthCheck: (account) => ({ url: `${openaiBase(account)}/models`, method: 'GET' }),
}

function openaiCapabilities(model: string): ModelCapabilities {
  if (PLAIN_MODEL.test(model)) return { reasoning: false }
  if (!REASONING_MODEL.test(model)) return {}
  return {
    reasoning: true,
    sampling: false,
    ...(ALWAYS_THINKS.test(model) && { thinkingAlwaysOn: true }),
    ...(/^o\d/.test(model) && { effortXhigh: false }),
  }
}

function openaiBase(account: Account): string {
  return withApiPath(baseUrl(account, OPENAI_BASE_URL), '/v1')
}

import type { ChatFormatName, EmbeddingFormatName } from '#formats/format.ts'
import type { Account } from '#table/routing-table.ts'
import { baseUrl, joinPath, withQuery } from '../build-url.ts'
import { classifyFailure } from '../classify-failure.ts'
import type { Provider, UpstreamCall, UpstreamTarget } from '../provider.ts'
import { readOpenAIError } from '../read-error-body.ts'

const OLLAMA_BASE_URL = 'http://localhost:11434'

const CHAT_PATHS: Partial<Readonly<Record<ChatFormatName, string>>> = {
  'ollama-chat': '/api/chat',
  'ollama-generate': '/api/generate',
  'openai-completions': '/v1/completions',
}
const EMBEDDING_PATHS: Partial<Readonly<Record<EmbeddingFormatName, string>>> = {
  'ollama-embed': '/api/embed',
  'ollama-embeddings': '/api/embeddings',
  'openai-embeddings': '/v1/embeddings',
}

/**
 * The native API before the OpenAI-compatible one: only it knows `num_ctx`, without which long prompts are cut silently.
 * @see https://docs.ollama.com/api
 */
export const ollamaProvider: Provider = {
  name: 'Ollama',
  telemetryName: 'ollama',
  chatFormats: () => ['ollama-chat', 'ollama-generate', 'openai-completions'],
  embeddingFormats: () => ['ollama-embed', 'ollama-embeddings', 'openai-embeddings'],
  countsTokens: () => false,
  target: (call) => ollamaTarget(ollamaBase(call.account), call),
  headers: ({ account }, secret) => ({
    ...account.headers,
    ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }),
  }),
  defaultHeaders: {},
  forwardedRequestHeaders: ['traceparent', 'tracestate'],
  forwardedReplyHeaders: [],
  classifyFailure: (reply, nowMs) =>
    classifyFailure(
      { readError: readOpenAIError, overloaded: /server busy|is loading|maximum pending requests/i },
      reply,
      nowMs,
    ),
  readRateLimits: () => undefined,
  quirks: (account) => (account.numCtx === undefined ? {} : { numCtx: account.numCtx }),
  issuer: () => 'ollama',
  capabilities: () => ({}),
  healthCheck: (account) => ({ url: `${ollamaBase(account)}/api/version`, method: 'GET' }),
}

function ollamaBase(account: Account): string {
  return baseUrl(account, OLLAMA_BASE_URL).replace(/\/(?:v1|api)$/, '')
}

function ollamaTarget(base: string, { operation, query }: UpstreamCall): UpstreamTarget {
  if (operation.kind === 'other')
    return { url: withQuery(joinPath(base, operation.path), query), method: operation.method }
  const path = operation.kind === 'embedding' ? EMBEDDING_PATHS[operation.format] : CHAT_PATHS[operation.format]
  if (path === undefined) throw new Error(`no Ollama path for ${operation.format}`)
  return { url: withQuery(base + path, query), method: 'POST' }
}

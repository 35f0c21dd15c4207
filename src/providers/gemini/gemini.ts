import type { ModelCapabilities } from '#formats/format.ts'
import { type GeminiVerb, geminiPath } from '#formats/gemini/gemini-path.ts'
import type { Account } from '#table/routing-table.ts'
import { baseUrl, withQuery } from '../build-url.ts'
import { classifyFailure, type FailureDialect } from '../classify-failure.ts'
import type { Provider, UpstreamCall, UpstreamTarget } from '../provider.ts'
import { readGeminiError } from './read-gemini-error.ts'

const GEMINI_BASE_URL = 'https://generativelanguage.googleapis.com'
const VERSION = /\/v1(?:beta|alpha)?$/

const GEMINI_DIALECT: FailureDialect = {
  readError: readGeminiError,
  // "Check your plan and billing details" stands in every 429, also in those of a minute.
  quota: /PerDay|spend cap|enable billing/i,
  contentFilter: /content[_ ]policy|safety setting|prompt was blocked|PROHIBITED_CONTENT/,
  modelNotFound: /NOT_FOUND.*models\/|is not found for API version/i,
}

/** @see https://ai.google.dev/api */
export const geminiProvider: Provider = {
  name: 'Gemini',
  telemetryName: 'gcp.gemini',
  chatFormats: () => ['gemini'],
  embeddingFormats: () => ['gemini-batch-embed', 'gemini-embed'],
  countsTokens: (format) => format === 'gemini',
  target: (call) => geminiTarget(baseUrl(call.account, GEMINI_BASE_URL), call),
  // The key travels in a header: in the URL it would stand in logs on the way.
  headers: ({ account }, secret) => ({ ...account.headers, ...credentialHeaders(account, secret) }),
  defaultHeaders: {},
  forwardedRequestHeaders: ['x-goog-api-client', 'x-goog-user-project', 'traceparent', 'tracestate'],
  // Of a request for the priority tier it tells whether that was to be had.
  forwardedReplyHeaders: ['server-timing', 'x-gemini-service-tier'],
  classifyFailure: (reply, nowMs) => classifyFailure(GEMINI_DIALECT, reply, nowMs),
  readRateLimits: () => undefined,
  // JSON Schema came with Gemini 2.
  quirks: (_, model) => (/^(?:models\/)?gemini-(?:1\.|pro\b)/.test(model) ? { openApiSchemas: true } : {}),
  issuer: () => 'gemini',
  capabilities: geminiCapabilities,
  healthCheck: (account) => ({
    url: `${baseUrl(account, GEMINI_BASE_URL).replace(VERSION, '')}/v1beta/models?pageSize=1`,
    method: 'GET',
  }),
}

/** Of the models that think, those called Pro cannot stop. @see https://ai.google.dev/gemini-api/docs/thinking */
function geminiCapabilities(model: string): ModelCapabilities {
  const [, version, rest = ''] = /^(?:models\/)?gemini-(2\.5|[3-9]|\d\d)(.*)$/.exec(model) ?? []
  if (version === undefined) return {}
  const alwaysThinks = /-pro\b/.test(rest)
  return {
    ...(version === '2.5' ? {} : { thinkingLevel: true, reasoning: true }),
    ...(alwaysThinks && { thinkingAlwaysOn: true }),
  }
}

function credentialHeaders(account: Account, secret: string | undefined): Record<string, string> {
  if (secret === undefined) return {}
  return account.auth === 'OAuth2' ? { authorization: `Bearer ${secret}` } : { 'x-goog-api-key': secret }
}

/** A base URL may end with the version of the API it wants. */
function geminiTarget(base: string, { operation, model, stream, query }: UpstreamCall): UpstreamTarget {
  const version = VERSION.exec(base)?.[0] ?? '/v1beta'
  const host = base.replace(VERSION, '')
  if (operation.kind === 'other')
    return { url: withQuery(host + versioned(operation.path, version), query), method: operation.method }
  const parameters = new URLSearchParams(query)
  parameters.delete('alt')
  const path = version + geminiPath(model, verbOf(operation, stream))
  return { url: withQuery(host + path, parameters.toString()), method: 'POST' }
}

/** Some clients leave the version out. */
function versioned(path: string, version: string): string {
  return /^\/(?:upload\/|download\/)?v\d/.test(path) ? path : version + path
}

function verbOf(operation: Exclude<UpstreamCall['operation'], { kind: 'other' }>, stream: boolean): GeminiVerb {
  if (operation.kind === 'count-tokens') return 'countTokens'
  if (operation.kind === 'embedding') return operation.format === 'gemini-embed' ? 'embedContent' : 'batchEmbedContents'
  return stream ? 'streamGenerateContent' : 'generateContent'
}

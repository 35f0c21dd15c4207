import type { Dialect, Operation } from './operation.ts'

export interface Route {
  readonly operation: Operation
  readonly dialect: Dialect
  readonly provider: string
  readonly method: 'GET' | 'POST'
  /** Where the address names the model: Gemini's verbs, Azure's deployments, `models/{id}`. */
  readonly pathModel?: string | undefined
}

const OPENAI_PATHS: readonly (readonly [pattern: RegExp, operation: Operation])[] = [
  [/^(.*)\/chat\/completions$/, 'chat'],
  [/^(.*)\/responses\/input_tokens$/, 'responses-tokens'],
  [/^(.*)\/responses$/, 'responses'],
  [/^(.*)\/completions$/, 'completions'],
  [/^(.*)\/embeddings$/, 'embeddings'],
]
const GEMINI_VERBS: Record<string, Operation> = {
  generateContent: 'gemini-generate',
  streamGenerateContent: 'gemini-stream',
  countTokens: 'gemini-count',
  embedContent: 'gemini-embed',
  batchEmbedContents: 'gemini-batch-embed',
}
const OLLAMA_PATHS: Record<string, readonly [Operation, Route['method']]> = {
  chat: ['ollama-chat', 'POST'],
  generate: ['ollama-generate', 'POST'],
  embed: ['ollama-embed', 'POST'],
  embeddings: ['ollama-embeddings', 'POST'],
  show: ['ollama-show', 'POST'],
  tags: ['ollama-tags', 'GET'],
  version: ['ollama-version', 'GET'],
  ps: ['ollama-ps', 'GET'],
}
/** Path segments that name no provider. */
const PLAIN_SEGMENT = /^(v\d+\w*|api|openai|inference|compatible-mode|backend-api|deployments)$/

/** Finds format and operation by the end of the path, so that any base URL works; headers decide where formats share a path. */
export function routeRequest(url: URL, headers: Readonly<Record<string, string>>): Route | undefined {
  const path = url.pathname.replace(/\/+$/, '')
  if (/\/oauth\/token$/.test(path)) return { operation: 'token', dialect: 'oauth', provider: 'oauth', method: 'POST' }
  return (
    routeGemini(path) ??
    routeOllama(path) ??
    routeAnthropic(path) ??
    routeModels(path, url, headers) ??
    routeOpenai(path, headers)
  )
}

function routeGemini(path: string): Route | undefined {
  const match = /^(.*)\/(?:models|tunedModels)\/([^:]+):(\w+)$/.exec(path)
  const operation = GEMINI_VERBS[match?.[3] ?? '']
  if (match === null || operation === undefined) return undefined
  return {
    operation,
    dialect: 'gemini',
    provider: labelOf(match[1], 'gemini'),
    method: 'POST',
    pathModel: decodeURIComponent(match[2] ?? ''),
  }
}

function routeOllama(path: string): Route | undefined {
  const match = /^(.*)\/api\/(\w+)$/.exec(path)
  const found = OLLAMA_PATHS[match?.[2] ?? '']
  if (found === undefined) return undefined
  return { operation: found[0], dialect: 'ollama', provider: labelOf(match?.[1], 'ollama'), method: found[1] }
}

function routeAnthropic(path: string): Route | undefined {
  const match = /^(.*)\/messages(\/count_tokens)?$/.exec(path)
  if (match === null) return undefined
  const operation = match[2] === undefined ? 'messages' : 'count-tokens'
  return { operation, dialect: 'anthropic', provider: labelOf(match[1], 'anthropic'), method: 'POST' }
}

function routeModels(path: string, url: URL, headers: Readonly<Record<string, string>>): Route | undefined {
  const match = /^(.*?)\/models(?:\/(.+))?$/.exec(path)
  if (match === null) return undefined
  const base = match[1] ?? ''
  const pathModel = match[2] === undefined ? undefined : decodeURIComponent(match[2])
  const dialect = modelsDialect(base, url, headers)
  return {
    operation: pathModel === undefined ? 'models' : 'model',
    dialect,
    provider: labelOf(base, dialect),
    method: 'GET',
    pathModel,
  }
}

/** Three formats share `/v1/models`. */
function modelsDialect(base: string, url: URL, headers: Readonly<Record<string, string>>): Dialect {
  if (headers['anthropic-version'] !== undefined) return 'anthropic'
  const google = headers['x-goog-api-key'] !== undefined || headers['x-goog-api-client'] !== undefined
  if (google || url.searchParams.has('key') || /\/v1beta$/.test(base)) return 'gemini'
  return openaiDialect(base, headers)
}

function routeOpenai(path: string, headers: Readonly<Record<string, string>>): Route | undefined {
  if (/\/api\/v1\/(key|credits)$/.test(path)) {
    return { operation: 'key-info', dialect: 'openrouter', provider: 'openrouter', method: 'GET' }
  }
  for (const [pattern, operation] of OPENAI_PATHS) {
    const match = pattern.exec(path)
    if (match !== null) {
      const base = match[1] ?? ''
      const dialect = openaiDialect(base, headers)
      const deployment = /\/openai\/deployments\/([^/]+)$/.exec(base)?.[1]
      const pathModel = deployment === undefined ? undefined : decodeURIComponent(deployment)
      return {
        operation,
        dialect,
        provider: labelOf(deployment === undefined ? base : '', dialect),
        method: 'POST',
        pathModel,
      }
    }
  }
  return undefined
}

function openaiDialect(base: string, headers: Readonly<Record<string, string>>): Dialect {
  // Dated Responses calls have no deployment in the path: `/openai/responses?api-version=…`.
  if (/\/openai\/deployments\//.test(base) || (headers['api-key'] !== undefined && /\/openai(\/v1)?$/.test(base)))
    return 'azure'
  return base.endsWith('/api/v1') || base.startsWith('/openrouter') ? 'openrouter' : 'openai'
}

function labelOf(base: string | undefined, fallback: string): string {
  return (base ?? '').split('/').find((segment) => segment !== '' && !PLAIN_SEGMENT.test(segment)) ?? fallback
}

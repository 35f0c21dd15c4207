import type { ChatFormatName, EmbeddingFormatName, FormatFamily } from '#formats/format.ts'
import type { RequestType } from '#table/routing-table.ts'

/** What a client asks for, as far as method, path and headers tell. */
export interface Surface {
  /** Shape of errors and lists. */
  readonly family: FormatFamily
  readonly operation: SurfaceOperation
  /** The request type that the path decides, if it does (R1.1). */
  readonly requestType: RequestType | undefined
  /** Gemini says the model and whether to stream in the path. */
  readonly pathModel: string | undefined
  readonly pathStream: boolean | undefined
  /** Gemini streams without `alt=sse` are one JSON array. */
  readonly arrayStream: boolean
}

type ModelCall =
  | { readonly kind: 'chat'; readonly format: ChatFormatName }
  | { readonly kind: 'embedding'; readonly format: EmbeddingFormatName }

export type SurfaceOperation =
  | ModelCall
  | { readonly kind: 'count-tokens'; readonly format: ChatFormatName }
  /** A call of Ollama's API without a question; known when the body is. */
  | { readonly kind: 'load-model'; readonly of: ModelCall }
  | { readonly kind: 'list-models' }
  | { readonly kind: 'get-model'; readonly model: string }
  | { readonly kind: 'ollama-version' | 'ollama-running' | 'ollama-show' }
  /** Probes of Claude Code, answered without a key and not counted. */
  | { readonly kind: 'hello' }
  | { readonly kind: 'unsupported' }
  /** Any other path: passes to the provider of the chosen group. */
  | { readonly kind: 'other' }

export type HeaderReader = (name: string) => string | undefined

const CHAT_PATHS: Readonly<Record<string, ChatFormatName>> = {
  '/chat/completions': 'openai-chat',
  '/responses': 'openai-responses',
  '/completions': 'openai-completions',
  '/messages': 'anthropic',
}
const OLLAMA_CHAT_PATHS: Readonly<Record<string, ChatFormatName>> = {
  '/api/chat': 'ollama-chat',
  '/api/generate': 'ollama-generate',
}
const OLLAMA_EMBEDDING_PATHS: Readonly<Record<string, EmbeddingFormatName>> = {
  '/api/embed': 'ollama-embed',
  '/api/embeddings': 'ollama-embeddings',
}
/** LiteLLM leaves the version out. A tuned model keeps the name of its collection. */
const GEMINI_VERB = /^(?:\/v1beta|\/v1alpha|\/v1)?\/(?:models\/|(?=tunedModels\/))(.+):([A-Za-z]+)$/

/** These say all by their path, so they are read once. */
const FIXED_SURFACES: ReadonlyMap<string, Surface> = new Map(
  [
    '/v1/chat/completions',
    '/v1/responses',
    '/v1/completions',
    '/v1/messages',
    '/v1/embeddings',
    '/v1/messages/count_tokens',
  ].flatMap((path) => {
    const fixed = openaiOrAnthropicSurface('POST', path)
    return fixed === undefined ? [] : [[path, fixed] as const]
  }),
)

/** The surface of the paths that nearly every request has. */
export function fixedSurface(method: string, path: string): Surface | undefined {
  return method === 'POST' ? FIXED_SURFACES.get(path) : undefined
}

/** Reads the surface from the request line; `path` is without query and already known to be plain (no escapes that hide slashes). */
export function readSurface(method: string, path: string, query: URLSearchParams, header: HeaderReader): Surface {
  return (
    reflectingSurface(method) ??
    probeSurface(method, path) ??
    geminiVerbSurface(method, path, query) ??
    ollamaSurface(method, path) ??
    modelsSurface(method, path, query, header) ??
    openaiOrAnthropicSurface(method, path) ??
    surface(familyByHeaders(path, query, header), { kind: 'other' }, undefined)
  )
}

function surface(
  family: FormatFamily,
  operation: SurfaceOperation,
  requestType: RequestType | undefined,
  path: Partial<Pick<Surface, 'pathModel' | 'pathStream' | 'arrayStream'>> = {},
): Surface {
  return {
    family,
    operation,
    requestType,
    pathModel: path.pathModel,
    pathStream: path.pathStream,
    arrayStream: path.arrayStream ?? false,
  }
}

/** The answer to TRACE is the request as the provider got it, with the credential of its account. */
function reflectingSurface(method: string): Surface | undefined {
  return method === 'TRACE' ? surface('openai', { kind: 'unsupported' }, undefined) : undefined
}

function probeSurface(method: string, path: string): Surface | undefined {
  const isProbe = (method === 'HEAD' || method === 'GET') && (path === '/' || path === '/api/hello')
  return isProbe ? surface('anthropic', { kind: 'hello' }, undefined) : undefined
}

function geminiVerbSurface(method: string, path: string, query: URLSearchParams): Surface | undefined {
  const [, model, verb] = GEMINI_VERB.exec(path) ?? []
  if (method !== 'POST' || model === undefined || verb === undefined) return undefined
  const at = { pathModel: decodeURIComponent(model) }
  switch (verb) {
    case 'generateContent':
      return surface('gemini', { kind: 'chat', format: 'gemini' }, 'chat', { ...at, pathStream: false })
    case 'streamGenerateContent':
      return surface('gemini', { kind: 'chat', format: 'gemini' }, 'chat', {
        ...at,
        pathStream: true,
        arrayStream: query.get('alt') !== 'sse',
      })
    case 'countTokens':
      return surface('gemini', { kind: 'count-tokens', format: 'gemini' }, 'chat', at)
    case 'embedContent':
      return surface('gemini', { kind: 'embedding', format: 'gemini-embed' }, 'embedding', at)
    case 'batchEmbedContents':
      return surface('gemini', { kind: 'embedding', format: 'gemini-batch-embed' }, 'embedding', at)
    default:
      return surface('gemini', { kind: 'other' }, undefined, at)
  }
}

function ollamaSurface(method: string, path: string): Surface | undefined {
  if (!path.startsWith('/api/')) return undefined
  const chat = OLLAMA_CHAT_PATHS[path]
  if (method === 'POST' && chat !== undefined) {
    return surface('ollama', { kind: 'chat', format: chat }, chat === 'ollama-chat' ? 'chat' : 'completion')
  }
  const embedding = OLLAMA_EMBEDDING_PATHS[path]
  if (method === 'POST' && embedding !== undefined) {
    return surface('ollama', { kind: 'embedding', format: embedding }, 'embedding')
  }
  if (path === '/api/tags') return surface('ollama', { kind: 'list-models' }, undefined)
  if (path === '/api/show') return surface('ollama', { kind: 'ollama-show' }, undefined)
  if (path === '/api/version') return surface('ollama', { kind: 'ollama-version' }, undefined)
  if (path === '/api/ps') return surface('ollama', { kind: 'ollama-running' }, undefined)
  return surface('ollama', { kind: 'unsupported' }, undefined)
}

function modelsSurface(
  method: string,
  path: string,
  query: URLSearchParams,
  header: HeaderReader,
): Surface | undefined {
  if (method !== 'GET') return undefined
  const [, model] = /^(?:\/v1beta\/openai|\/openai\/v1|\/v1beta|\/v1alpha|\/v1)?\/models(?:\/(.+))?$/.exec(path) ?? [
    undefined,
    null,
  ]
  if (model === null) return undefined
  const operation: SurfaceOperation =
    model === undefined ? { kind: 'list-models' } : { kind: 'get-model', model: decodeURIComponent(model) }
  return surface(familyByHeaders(path, query, header), operation, undefined)
}

function openaiOrAnthropicSurface(method: string, path: string): Surface | undefined {
  if (method !== 'POST') return undefined
  const rest = path.replace(/^(?:\/v1beta\/openai|\/openai\/v1|\/v1)(?=\/)/, '')
  const chat = CHAT_PATHS[rest]
  if (chat !== undefined) {
    const family = chat === 'anthropic' ? 'anthropic' : 'openai'
    return surface(family, { kind: 'chat', format: chat }, chat === 'openai-completions' ? 'completion' : 'chat')
  }
  if (rest === '/embeddings') return surface('openai', { kind: 'embedding', format: 'openai-embeddings' }, 'embedding')
  if (rest === '/messages/count_tokens') {
    return surface('anthropic', { kind: 'count-tokens', format: 'anthropic' }, 'chat')
  }
  return undefined
}

/** `/v1/models` and unknown paths belong to several APIs; these marks fit every client that was recorded. */
function familyByHeaders(path: string, query: URLSearchParams, header: HeaderReader): FormatFamily {
  if (header('anthropic-version') !== undefined) return 'anthropic'
  if (header('x-goog-api-key') !== undefined || header('x-goog-api-client') !== undefined || query.has('key')) {
    return 'gemini'
  }
  return /^\/v1(?:alpha|beta(?!\/openai))\//.test(path) ? 'gemini' : 'openai'
}

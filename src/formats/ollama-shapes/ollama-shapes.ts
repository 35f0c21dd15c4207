import type { FamilyShapes, ModelEntry } from '../format.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import { errorText, rfc3339 } from '../ollama-chat/reply-line.ts'

/** An Ollama release whose API this gateway speaks; some clients refuse to work with an older one. */
const OLLAMA_VERSION = '0.12.6'

const ARCHITECTURE = 'korproxy'

/** LiteLLM looks for "tools" in the template, other clients in `capabilities`. */
const TEMPLATE = '{{ if .Tools }}{{ .Tools }}{{ end }}{{ .Prompt }}'

/** Answers of Ollama's model endpoints. @see https://github.com/ollama/ollama/blob/main/docs/api.md#list-local-models */
export const ollamaShapes: FamilyShapes = {
  family: 'ollama',
  encodeError: (error) => ({ status: error.error.status, body: { error: errorText(error) } }),
  encodeModelList: (models) => ({
    models: models.map((model) => ({
      name: model.id,
      model: model.id,
      modified_at: rfc3339(model.createdAt * 1000),
      size: 0,
      digest: nameDigest(model.id),
      details: encodeDetails(model),
    })),
  }),
  encodeModel: (model) => ({
    license: '',
    modelfile: '',
    parameters: '',
    template: chats(model) && model.capabilities.tools !== false ? TEMPLATE : '{{ .Prompt }}',
    details: encodeDetails(model),
    model_info: {
      'general.architecture': ARCHITECTURE,
      'general.basename': model.displayName,
      ...(model.contextWindow === undefined ? {} : { [`${ARCHITECTURE}.context_length`]: model.contextWindow }),
    },
    capabilities: encodeCapabilities(model),
    modified_at: rfc3339(model.createdAt * 1000),
  }),
}

/** `GET /api/version`; `version` is KorProxy's own. */
export function encodeOllamaVersion(version: string): JsonObject {
  return { version: OLLAMA_VERSION, korproxy: version }
}

/** `GET /api/ps`: nothing is loaded in a gateway. */
export function encodeOllamaRunning(): JsonObject {
  return { models: [] }
}

interface ModelLoad {
  /** Path that was asked. */
  readonly endpoint: string
  readonly model: string
  /** Unix time in milliseconds. */
  readonly nowMs: number
  readonly reason: 'load' | 'unload'
}

/** The answer to a request that only has the model loaded or unloaded. @see https://github.com/ollama/ollama/blob/main/docs/api.md#load-a-model */
export function encodeOllamaLoad({ endpoint, model, nowMs, reason }: ModelLoad): JsonObject {
  const head = { model, created_at: rfc3339(nowMs) }
  switch (endpoint) {
    case '/api/generate':
      return { ...head, response: '', done: true, done_reason: reason }
    case '/api/embed':
      return { model, embeddings: [] }
    case '/api/embeddings':
      return { embedding: [] }
    default:
      return { ...head, message: { role: 'assistant', content: '' }, done_reason: reason, done: true }
  }
}

function encodeDetails(model: ModelEntry): JsonObject {
  const family = model.ownedBy
  return { parent_model: '', format: '', family, families: [family], parameter_size: '', quantization_level: '' }
}

/** A client switches off what is not listed, so what the catalogue does not know of is listed for tools. */
function encodeCapabilities(model: ModelEntry): string[] {
  const { tools, vision, reasoning } = model.capabilities
  const chat = chats(model)
  return [
    ...(chat ? ['completion'] : []),
    ...(chat && tools !== false ? ['tools'] : []),
    ...(chat && vision === true ? ['vision'] : []),
    ...(chat && reasoning === true ? ['thinking'] : []),
    ...(model.requestTypes.includes('embedding') ? ['embedding'] : []),
  ]
}

function chats(model: ModelEntry): boolean {
  return model.requestTypes.includes('chat') || model.requestTypes.includes('completion')
}

/** `ollama list` prints the first 12 characters of a digest and fails on a shorter one: 64 hex digits made of the name (FNV-1a, eight times). */
function nameDigest(name: string): string {
  let digest = ''
  for (let seed = 0; seed < 8; seed += 1) {
    let hash = 0x811c9dc5 ^ seed
    for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193)
    digest += (hash >>> 0).toString(16).padStart(8, '0')
  }
  return digest
}

import type { CallContext } from './call-context.ts'
import { supportsThinking } from './ollama/check-ollama.ts'
import { jsonReply, type Reply } from './wire-event.ts'

const OPENAI = ['gpt-4o', 'gpt-4o-mini', 'gpt-5', 'o3', 'text-embedding-3-small']
const OPENROUTER = ['openai/gpt-4o', 'anthropic/claude-sonnet-4.5', 'google/gemini-2.5-flash']
const ANTHROPIC = ['claude-opus-5-5', 'claude-sonnet-4-5', 'claude-haiku-4-5']
const GEMINI = ['gemini-2.5-flash', 'gemini-3-pro', 'text-embedding-004']
const OLLAMA = ['llama3.2:latest', 'qwen3:8b', 'nomic-embed-text:latest']
const CREATED = 1_760_000_000
const CREATED_AT = '2025-10-09T08:53:20Z'

/** The lists of `GET models`, each in its format. */
export function replyModels(context: CallContext): Reply {
  switch (context.dialect) {
    case 'anthropic': {
      const data = ANTHROPIC.map(anthropicModel)
      return jsonReply({ data, has_more: false, first_id: ANTHROPIC[0], last_id: ANTHROPIC.at(-1) })
    }
    case 'gemini':
      return jsonReply({ models: GEMINI.map(geminiModel) })
    case 'openrouter':
      return jsonReply({ data: OPENROUTER.map(openrouterModel) })
    default:
      return jsonReply({ object: 'list', data: OPENAI.map(openaiModel) })
  }
}

/** One model; every name exists but those that begin with `missing`, which the caller has refused. */
export function replyModel(context: CallContext): Reply {
  switch (context.dialect) {
    case 'anthropic':
      return jsonReply(anthropicModel(context.model))
    case 'gemini':
      return jsonReply(geminiModel(context.model))
    case 'openrouter':
      return jsonReply({ data: openrouterModel(context.model) })
    default:
      return jsonReply(openaiModel(context.model))
  }
}

function openaiModel(id: string): unknown {
  return { id, object: 'model', created: CREATED, owned_by: 'mock' }
}

/** Prices are decimal strings per token. */
function openrouterModel(id: string): unknown {
  return {
    id,
    name: id,
    created: CREATED,
    context_length: 128000,
    architecture: { input_modalities: ['text', 'image'], output_modalities: ['text'], tokenizer: 'GPT' },
    pricing: { prompt: '0.0000025', completion: '0.00001', input_cache_read: '0.00000125', request: '0', image: '0' },
    supported_parameters: ['tools', 'temperature', 'max_tokens', 'response_format'],
  }
}

function anthropicModel(id: string): unknown {
  return {
    type: 'model',
    id,
    display_name: id,
    created_at: CREATED_AT,
    lifecycle: 'active',
    max_input_tokens: 200000,
    max_tokens: 64000,
    capabilities: {},
  }
}

function geminiModel(id: string): unknown {
  const embeds = id.includes('embedding')
  return {
    name: `models/${id}`,
    version: '001',
    displayName: id,
    inputTokenLimit: 1048576,
    outputTokenLimit: 65536,
    supportedGenerationMethods: embeds ? ['embedContent'] : ['generateContent', 'countTokens'],
  }
}

const OLLAMA_DETAILS = {
  parent_model: '',
  format: 'gguf',
  family: 'llama',
  families: ['llama'],
  parameter_size: '3.2B',
  quantization_level: 'Q4_K_M',
}

export function replyOllamaTags(): Reply {
  return jsonReply({ models: OLLAMA.map((name) => ollamaModel(name)) })
}

export function replyOllamaPs(context: CallContext): Reply {
  const expires = new Date(context.nowMs + 300_000).toISOString()
  return jsonReply({ models: [{ ...ollamaModel(OLLAMA[0] ?? ''), expires_at: expires, size_vram: 2019393189 }] })
}

function ollamaModel(name: string) {
  return {
    name,
    model: name,
    modified_at: CREATED_AT,
    size: 2019393189,
    digest: 'a80c4f17acd5'.padEnd(64, '0'),
    details: OLLAMA_DETAILS,
  }
}

export function replyOllamaShow(context: CallContext): Reply {
  const embeds = context.modelName.includes('embed')
  const thinking = supportsThinking(context.modelName) ? ['thinking'] : []
  return jsonReply({
    license: 'mock',
    modelfile: `FROM ${context.model}`,
    parameters: 'num_ctx 8192',
    template: '{{ .Prompt }}',
    details: OLLAMA_DETAILS,
    model_info: { 'general.architecture': 'llama', 'llama.context_length': 131072, 'llama.embedding_length': 8 },
    capabilities: embeds ? ['embedding'] : ['completion', 'tools', 'vision', ...thinking],
    modified_at: CREATED_AT,
  })
}

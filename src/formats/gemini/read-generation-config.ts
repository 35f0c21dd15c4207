import { KorProxyError } from '#errors/korproxy-error.ts'
import type { ChatRequest, Reasoning, ReasoningEffort, ResponseFormat, Sampling } from '../ir/chat-request.ts'
import { present } from './present.ts'
import { readSchema } from './read-schema.ts'
import type { GeminiGenerationConfig } from './request-schema.ts'

type Read = Pick<ChatRequest, 'sampling' | 'maxOutputTokens' | 'responseFormat' | 'reasoning' | 'dropped'>

const CARRIED = new Set([
  'temperature',
  'topP',
  'topK',
  'candidateCount',
  'maxOutputTokens',
  'stopSequences',
  'seed',
  'presencePenalty',
  'frequencyPenalty',
  'responseLogprobs',
  'logprobs',
  'responseMimeType',
  'responseSchema',
  'responseJsonSchema',
  '_responseJsonSchema',
  'thinkingConfig',
])

/** @throws KorProxyError KP-PROV-112 when the answer is to be audio or an image only */
export function readGenerationConfig(config: GeminiGenerationConfig | undefined): Read {
  if (config === undefined) {
    const none = undefined
    return { sampling: {}, maxOutputTokens: none, responseFormat: none, reasoning: none, dropped: [] }
  }
  refuseOtherModalities(config.responseModalities ?? [])
  const enumAnswer = config.responseMimeType === 'text/x.enum'
  return {
    sampling: readSampling(config),
    maxOutputTokens: config.maxOutputTokens,
    responseFormat: enumAnswer ? undefined : readResponseFormat(config),
    reasoning: readThinkingConfig(config.thinkingConfig),
    dropped: [...Object.keys(config).filter((key) => !CARRIED.has(key)), ...(enumAnswer ? ['responseMimeType'] : [])],
  }
}

function readSampling(config: GeminiGenerationConfig): Sampling {
  return present({
    temperature: config.temperature,
    topP: config.topP,
    topK: config.topK,
    seed: config.seed,
    presencePenalty: config.presencePenalty,
    frequencyPenalty: config.frequencyPenalty,
    stop: config.stopSequences,
    n: config.candidateCount,
    logprobs: config.responseLogprobs,
    topLogprobs: config.logprobs,
  })
}

function readResponseFormat(config: GeminiGenerationConfig): ResponseFormat | undefined {
  const schema = config.responseJsonSchema ?? config._responseJsonSchema ?? config.responseSchema
  if (schema !== undefined) return { type: 'json-schema', name: 'response', schema: readSchema(schema) }
  return config.responseMimeType === 'application/json' ? { type: 'json' } : undefined
}

const LEVELS: ReadonlyMap<string, ReasoningEffort> = new Map([
  ['minimal', 'minimal'],
  ['low', 'low'],
  ['medium', 'medium'],
  ['high', 'high'],
])

function readThinkingConfig(config: GeminiGenerationConfig['thinkingConfig']): Reasoning | undefined {
  if (config === undefined) return undefined
  const budget = config.thinkingBudget
  const reasoning: Reasoning = present({
    effort: LEVELS.get(config.thinkingLevel?.toLowerCase() ?? ''),
    budgetTokens: budget !== undefined && budget >= 0 ? budget : undefined,
    adaptive: budget !== undefined && budget < 0 ? true : undefined,
    includeThoughts: config.includeThoughts,
  })
  return Object.keys(reasoning).length === 0 ? undefined : reasoning
}

function refuseOtherModalities(modalities: readonly string[]): void {
  const text = modalities.some((modality) => /^(text|modality_unspecified)$/i.test(modality))
  if (modalities.length === 0 || text) return
  throw new KorProxyError('KP-PROV-112', {
    parameter: 'generationConfig.responseModalities',
    target: 'other formats',
    reason: 'the answer can only be text',
  })
}

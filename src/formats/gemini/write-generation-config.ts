import type { TargetModel } from '../format.ts'
import type { ChatRequest, ImagePart, JsonObject } from '../ir/chat-request.ts'
import { cleanSchema } from './clean-schema.ts'
import { isThirdGeneration } from './gemini-target.ts'
import { present } from './present.ts'
import { writeThinkingConfig } from './write-thinking-config.ts'
import { withoutDialect } from './write-tools.ts'

interface WrittenConfig {
  readonly config: JsonObject
  /** To be added to the system instruction: a schema that the model cannot be given otherwise. */
  readonly instruction: string | undefined
  readonly dropped: readonly string[]
}

const MAX_STOP_SEQUENCES = 5

/** @see https://ai.google.dev/api/generate-content#generationconfig */
export function writeGenerationConfig(request: ChatRequest, target: TargetModel): WrittenConfig {
  const { sampling } = request
  const samples = target.capabilities.sampling !== false
  const stop = (sampling.stop ?? []).filter((sequence) => sequence !== '')
  const answer = writeResponseFormat(request, target)
  const thinking = writeThinkingConfig(request.reasoning, target)
  const config = present({
    temperature: samples ? sampling.temperature : undefined,
    topP: samples ? sampling.topP : undefined,
    topK: samples ? sampling.topK : undefined,
    candidateCount: sampling.n === 1 ? undefined : sampling.n,
    maxOutputTokens: smaller(request.maxOutputTokens, target.maxOutputTokens),
    stopSequences: stop.length > 0 ? stop.slice(0, MAX_STOP_SEQUENCES) : undefined,
    seed: foldSeed(sampling.seed),
    presencePenalty: sampling.presencePenalty,
    frequencyPenalty: sampling.frequencyPenalty,
    responseLogprobs: sampling.logprobs === true ? true : undefined,
    logprobs: sampling.logprobs === true ? sampling.topLogprobs : undefined,
    mediaResolution: writeMediaResolution(request),
    thinkingConfig: thinking.config,
  })
  const unsampled = present({ temperature: sampling.temperature, top_p: sampling.topP, top_k: sampling.topK })
  return {
    config: { ...config, ...answer.config },
    instruction: answer.instruction,
    dropped: [
      ...(samples ? [] : Object.keys(unsampled)),
      ...(stop.length > MAX_STOP_SEQUENCES ? ['stop'] : []),
      ...thinking.dropped,
    ],
  }
}

function smaller(wanted: number | undefined, limit: number | undefined): number | undefined {
  return wanted === undefined || limit === undefined ? wanted : Math.min(wanted, limit)
}

/** Google's seed is an int32; a larger one is folded, so that the same seed still gives the same answer. */
function foldSeed(seed: number | undefined): number | undefined {
  return seed === undefined ? undefined : Math.trunc(seed) % 2 ** 31
}

/** The resolution is a property of the whole request: the highest that any image asks for. */
function writeMediaResolution(request: ChatRequest): string | undefined {
  const details = request.turns.flatMap((turn) =>
    turn.role === 'user' ? turn.parts.filter((part): part is ImagePart => part.type === 'image') : [],
  )
  if (details.some(({ detail }) => detail === 'high' || detail === 'original')) return 'MEDIA_RESOLUTION_HIGH'
  return details.length > 0 && details.every(({ detail }) => detail === 'low') ? 'MEDIA_RESOLUTION_LOW' : undefined
}

interface WrittenAnswer {
  readonly config: JsonObject
  readonly instruction: string | undefined
}

const JSON_ANSWER = { responseMimeType: 'application/json' }

/** Before Gemini 3 a JSON answer together with functions is refused: there the schema goes into the prompt. */
function writeResponseFormat(request: ChatRequest, target: TargetModel): WrittenAnswer {
  const format = request.responseFormat
  if (format === undefined || format.type === 'text') return { config: {}, instruction: undefined }
  const beside = request.tools.length === 0 || isThirdGeneration(target)
  const config = beside ? JSON_ANSWER : {}
  if (format.type === 'json') {
    return { config, instruction: beside ? undefined : 'Unless you call a function, answer with a JSON object only.' }
  }
  if (!beside || target.capabilities.jsonSchema === false) {
    const lead = beside ? 'Answer' : 'Unless you call a function, answer'
    const schema = JSON.stringify(withoutDialect(format.schema))
    return { config, instruction: `${lead} with JSON only, valid against this JSON Schema:\n${schema}` }
  }
  if (target.quirks.openApiSchemas === true) {
    return { config: { ...config, responseSchema: cleanSchema(format.schema) }, instruction: undefined }
  }
  return { config: { ...config, responseJsonSchema: withoutDialect(format.schema) }, instruction: undefined }
}

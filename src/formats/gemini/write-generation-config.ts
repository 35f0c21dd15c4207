import type { ChatRequest, ImagePart, JsonObject, Sampling } from '../ir/chat-request.ts'
import type { DroppedParameters } from '../ir/dropped-parameters.ts'
import { cleanSchema } from './clean-schema.ts'
import { type GeminiTarget, isThirdGeneration } from './gemini-target.ts'
import { present } from './present.ts'
import { writeThinkingConfig } from './write-thinking-config.ts'
import { withoutDialect } from './write-tools.ts'

interface WrittenConfig {
  readonly config: JsonObject
  /** To be added to the system instruction: a schema that the model cannot be given otherwise. */
  readonly instruction: string | undefined
}

const MAX_STOP_SEQUENCES = 5

/** @see https://ai.google.dev/api/generate-content#generationconfig */
export function writeGenerationConfig(request: ChatRequest, target: GeminiTarget): WrittenConfig {
  const { model, dropped } = target
  const { sampling } = request
  const samples = model.capabilities.sampling !== false
  const stop = (sampling.stop ?? []).filter((sequence) => sequence !== '')
  const answer = writeResponseFormat(request, target)
  if (!samples) reportUnsampled(sampling, dropped)
  if (stop.length > MAX_STOP_SEQUENCES) dropped.add('stop')
  const config = present({
    temperature: samples ? sampling.temperature : undefined,
    topP: samples ? sampling.topP : undefined,
    topK: samples ? sampling.topK : undefined,
    candidateCount: sampling.n === 1 ? undefined : sampling.n,
    maxOutputTokens: smaller(request.maxOutputTokens, model.maxOutputTokens),
    stopSequences: stop.length > 0 ? stop.slice(0, MAX_STOP_SEQUENCES) : undefined,
    seed: foldSeed(sampling.seed),
    presencePenalty: sampling.presencePenalty,
    frequencyPenalty: sampling.frequencyPenalty,
    responseLogprobs: sampling.logprobs === true ? true : undefined,
    logprobs: sampling.logprobs === true ? sampling.topLogprobs : undefined,
    mediaResolution: writeMediaResolution(request),
    thinkingConfig: writeThinkingConfig(request.reasoning, model, dropped),
  })
  return { config: { ...config, ...answer.config }, instruction: answer.instruction }
}

function reportUnsampled({ temperature, topP, topK }: Sampling, dropped: DroppedParameters): void {
  if (temperature !== undefined) dropped.add('temperature')
  if (topP !== undefined) dropped.add('top_p')
  if (topK !== undefined) dropped.add('top_k')
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
function writeResponseFormat(request: ChatRequest, { model, dropped }: GeminiTarget): WrittenAnswer {
  const format = request.responseFormat
  if (format === undefined || format.type === 'text') return { config: {}, instruction: undefined }
  const beside = request.tools.length === 0 || isThirdGeneration(model)
  const config = beside ? JSON_ANSWER : {}
  if (format.type === 'json') {
    return { config, instruction: beside ? undefined : 'Unless you call a function, answer with a JSON object only.' }
  }
  if (!beside || model.capabilities.jsonSchema === false) {
    const lead = beside ? 'Answer' : 'Unless you call a function, answer'
    const schema = JSON.stringify(withoutDialect(format.schema))
    return { config, instruction: `${lead} with JSON only, valid against this JSON Schema:\n${schema}` }
  }
  if (model.quirks.openApiSchemas === true) {
    return {
      config: { ...config, responseSchema: cleanSchema(format.schema, () => dropped.add('response_format.schema')) },
      instruction: undefined,
    }
  }
  return { config: { ...config, responseJsonSchema: withoutDialect(format.schema) }, instruction: undefined }
}

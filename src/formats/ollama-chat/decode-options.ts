import { z } from 'zod'
import type { JsonObject, Reasoning, ResponseFormat, Sampling } from '../ir/chat-request.ts'
import { jsonObject } from '../ir/json-fields.ts'

const options = z.looseObject({
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  top_k: z.number().nullish(),
  seed: z.number().nullish(),
  num_predict: z.number().nullish(),
  presence_penalty: z.number().nullish(),
  frequency_penalty: z.number().nullish(),
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
})

/** What `/api/chat` and `/api/generate` have in common. @see https://github.com/ollama/ollama/blob/main/docs/api.md */
export const commonFields = {
  model: z.string(),
  stream: z.boolean().nullish(),
  format: z.union([z.string(), jsonObject]).nullish(),
  options: options.nullish(),
  think: z.union([z.boolean(), z.string()]).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().nullish(),
}
const commonSchema = z.object(commonFields)
type CommonFields = z.output<typeof commonSchema>

/** Options that steer a local server: they mean nothing elsewhere. */
const LOCAL_OPTIONS = new Set([
  'f16_kv',
  'low_vram',
  'main_gpu',
  'min_p',
  'mirostat',
  'mirostat_eta',
  'mirostat_tau',
  'num_batch',
  'num_ctx',
  'num_gpu',
  'num_keep',
  'num_thread',
  'numa',
  'penalize_newline',
  'repeat_last_n',
  'repeat_penalty',
  'tfs_z',
  'typical_p',
  'use_mlock',
  'use_mmap',
])

export function decodeSamplingOptions(request: CommonFields, dropped: Set<string>): Sampling {
  const given = request.options ?? {}
  for (const [name, value] of Object.entries(given)) {
    if (value === null || name in options.shape) continue
    dropped.add(LOCAL_OPTIONS.has(name) ? `options.${name}` : 'options.unknown')
  }
  return { ...numericSampling(given), ...stopSequences(given.stop), ...askedLogprobs(request) }
}

function numericSampling(given: NonNullable<CommonFields['options']>): Sampling {
  return {
    ...(typeof given.temperature === 'number' && { temperature: given.temperature }),
    ...(typeof given.top_p === 'number' && { topP: given.top_p }),
    ...(typeof given.top_k === 'number' && { topK: given.top_k }),
    ...(typeof given.seed === 'number' && { seed: given.seed }),
    ...(typeof given.presence_penalty === 'number' && { presencePenalty: given.presence_penalty }),
    ...(typeof given.frequency_penalty === 'number' && { frequencyPenalty: given.frequency_penalty }),
  }
}

function stopSequences(stop: string | string[] | null | undefined): Sampling {
  const sequences = typeof stop === 'string' ? [stop] : (stop ?? [])
  return sequences.length > 0 ? { stop: sequences } : {}
}

function askedLogprobs({ logprobs, top_logprobs: count }: CommonFields): Sampling {
  return {
    ...(logprobs === true && { logprobs: true }),
    ...(typeof count === 'number' && count > 0 && { topLogprobs: count }),
  }
}

/** -1 (no limit) and -2 (fill the context) are what other formats mean by leaving it out. */
export function decodeOutputLimit(request: CommonFields): number | undefined {
  const limit = request.options?.num_predict
  return typeof limit === 'number' && limit > 0 ? limit : undefined
}

export function decodeFormat(format: string | JsonObject | null | undefined): ResponseFormat | undefined {
  if (format === null || format === undefined || format === '') return undefined
  if (typeof format === 'string') return { type: 'json' }
  return { type: 'json-schema', name: 'response', schema: format }
}

const EFFORTS: ReadonlyMap<string, Reasoning['effort']> = new Map([
  ['low', 'low'],
  ['medium', 'medium'],
  ['high', 'high'],
  ['max', 'max'],
])

/** `true` leaves the depth to the model; a level that is not known counts as `true`. */
export function decodeThink(think: boolean | string | null | undefined): Reasoning | undefined {
  if (think === null || think === undefined) return undefined
  if (think === false || think === 'false') return { effort: 'none' }
  const effort = typeof think === 'string' ? EFFORTS.get(think) : undefined
  return effort === undefined ? { adaptive: true, includeThoughts: true } : { effort, includeThoughts: true }
}

/** Parameters besides `read` that the client gave; a key with null counts as absent. */
export function otherParameters(body: JsonObject, read: ReadonlySet<string>): Set<string> {
  return new Set(Object.keys(body).filter((key) => body[key] !== null && !read.has(key)))
}

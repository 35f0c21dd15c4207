import type { TargetModel } from '../format.ts'
import type { ChatRequest, JsonObject, Sampling } from '../ir/chat-request.ts'
import type { DroppedParameters } from '../ir/dropped-parameters.ts'

/** With thinking on, `top_p` must lie between this and 1: https://platform.claude.com/docs/en/build-with-claude/extended-thinking */
const MIN_THINKING_TOP_P = 0.95
const NO_FIELD = {
  seed: 'seed',
  presencePenalty: 'presence_penalty',
  frequencyPenalty: 'frequency_penalty',
  logitBias: 'logit_bias',
} as const

export interface SamplingSetting {
  readonly target: TargetModel
  readonly isThinking: boolean
  readonly dropped: DroppedParameters
}

/** @throws KorProxyError KP-PROV-112 for several choices and log probabilities, unless the account says to drop them */
export function samplingFields({ sampling }: ChatRequest, setting: SamplingSetting): JsonObject {
  refuseShapes(sampling, setting)
  for (const [field, name] of Object.entries(NO_FIELD)) {
    // The keys of NO_FIELD are keys of Sampling.
    if (sampling[field as keyof typeof NO_FIELD] !== undefined) setting.dropped.add(name)
  }
  return { ...randomness(sampling, setting), ...stopSequences(sampling.stop ?? [], setting.dropped) }
}

function refuseShapes({ n, logprobs, topLogprobs }: Sampling, { dropped }: SamplingSetting): void {
  if (n !== undefined && n > 1) dropped.addOrRefuse('n', 'a reply has one choice')
  if (logprobs === true || (topLogprobs ?? 0) > 0) dropped.addOrRefuse('logprobs', 'no log probabilities are given')
}

/** Newer models refuse all three; others take only one of temperature and top_p, and thinking wants temperature at its default. */
function randomness(
  { temperature, topP, topK }: Sampling,
  { target, isThinking, dropped }: SamplingSetting,
): JsonObject {
  const isOpen = target.capabilities.sampling !== false
  const clamped = temperature === undefined ? undefined : Math.min(1, Math.max(0, temperature))
  const takesTemperature = isOpen && clamped !== undefined && (!isThinking || clamped === 1)
  const takesTopP = isOpen && !takesTemperature && (!isThinking || (topP ?? 0) >= MIN_THINKING_TOP_P)
  const wanted = [
    { name: 'temperature', value: clamped, isTaken: takesTemperature },
    { name: 'top_p', value: topP, isTaken: takesTopP },
    { name: 'top_k', value: topK, isTaken: isOpen && !isThinking },
  ]
  const body: Record<string, number> = {}
  for (const { name, value, isTaken } of wanted) {
    if (value === undefined) continue
    if (isTaken) body[name] = value
    else dropped.add(name)
  }
  return body
}

/** Anthropic refuses stop sequences that are empty or only white space. */
function stopSequences(stop: readonly string[], dropped: DroppedParameters): JsonObject {
  const usable = stop.filter((sequence) => sequence.trim() !== '')
  if (usable.length < stop.length) dropped.add('stop')
  return usable.length > 0 ? { stop_sequences: usable } : {}
}

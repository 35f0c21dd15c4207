import type { DroppedParameters } from '../ir/dropped-parameters.ts'

/** OpenAI answers 400 to longer names of users and caches and to longer ids of calls. */
export const MAX_IDENTIFIER_LENGTH = 64

/** A long `user` is moreover serialised device and session data, which is nobody else's business. */
export function shortIdentifier(
  parameter: 'user' | 'prompt_cache_key',
  value: string | undefined,
  dropped: DroppedParameters,
): string | undefined {
  if (value === undefined || value.length <= MAX_IDENTIFIER_LENGTH) return value
  dropped.add(parameter)
  return undefined
}

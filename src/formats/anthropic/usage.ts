import type { Usage } from '../ir/chat-event.ts'
import type { JsonObject, JsonValue } from '../ir/chat-request.ts'
import { isJsonObject } from '../ir/json-fields.ts'

/**
 * Reads usage that comes in pieces: `message_start` has the input side, `message_delta` the cumulative output and,
 * with server tools, a new input side. Each field replaces the earlier one and is never added to it.
 * `input_tokens` leaves out what came from or went to the prompt cache; the intermediate form counts it in.
 * @see https://platform.claude.com/docs/en/build-with-claude/streaming
 */
export class UsageReader {
  readonly #counts = new Map<string, number>()

  read(usage: JsonValue | undefined): Usage | undefined {
    if (!isJsonObject(usage)) return undefined
    this.#take(usage, ['input_tokens', 'cache_read_input_tokens', 'cache_creation_input_tokens', 'output_tokens'])
    const { cache_creation: creation, output_tokens_details: details } = usage
    if (isJsonObject(creation)) this.#take(creation, ['ephemeral_1h_input_tokens'])
    if (isJsonObject(details)) this.#take(details, ['thinking_tokens'])
    return this.#total()
  }

  #take(from: JsonObject, fields: readonly string[]): void {
    for (const field of fields) {
      const count = from[field]
      if (typeof count === 'number') this.#counts.set(field, count)
    }
  }

  #total(): Usage {
    const input = this.#counts.get('input_tokens')
    const cached = this.#counts.get('cache_read_input_tokens')
    const written = this.#counts.get('cache_creation_input_tokens')
    const written1h = this.#counts.get('ephemeral_1h_input_tokens')
    const output = this.#counts.get('output_tokens')
    const reasoning = this.#counts.get('thinking_tokens')
    return {
      ...(input !== undefined && { input: input + (cached ?? 0) + (written ?? 0) }),
      ...(cached !== undefined && { cachedInput: cached }),
      ...(written !== undefined && { cacheWriteInput: written }),
      ...(written1h !== undefined && { cacheWrite1hInput: written1h }),
      ...(output !== undefined && { output }),
      ...(reasoning !== undefined && { reasoning }),
    }
  }
}

/** What to say where the provider told nothing: estimates in tokens. */
export interface UsageEstimate {
  readonly input: number
  readonly output: number
}

/** Cached tokens are taken out of `input_tokens`: Anthropic's clients add the three up. */
export function encodeMessageUsage(usage: Usage, estimate: UsageEstimate): JsonObject {
  const cached = usage.cachedInput ?? 0
  const written = usage.cacheWriteInput ?? 0
  const written1h = usage.cacheWrite1hInput
  return {
    input_tokens: usage.input === undefined ? estimate.input : Math.max(0, usage.input - cached - written),
    cache_creation_input_tokens: written,
    cache_read_input_tokens: cached,
    ...(written1h !== undefined && {
      cache_creation: {
        ephemeral_5m_input_tokens: Math.max(0, written - written1h),
        ephemeral_1h_input_tokens: written1h,
      },
    }),
    output_tokens: usage.output ?? estimate.output,
    ...(usage.reasoning !== undefined && { output_tokens_details: { thinking_tokens: usage.reasoning } }),
  }
}

import type { Citation, ErrorEvent, Usage } from '../ir/chat-event.ts'
import type { JsonObject, JsonValue } from '../ir/chat-request.ts'
import { isJsonObject } from '../ir/json-fields.ts'
import { readServiceTier } from '../ir/service-tier.ts'

/** Replies are read field by field, without a schema: this runs for every event of a stream. */
export function stringField(object: JsonObject, key: string): string | undefined {
  const value = object[key]
  return typeof value === 'string' ? value : undefined
}

export function numberField(object: JsonObject, key: string): number | undefined {
  const value = object[key]
  return typeof value === 'number' ? value : undefined
}

export function objectField(object: JsonObject, key: string): JsonObject | undefined {
  const value = object[key]
  return isJsonObject(value) ? value : undefined
}

export function objectsField(object: JsonObject, key: string): JsonObject[] {
  const value: JsonValue | undefined = object[key]
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}

/** Summary of a reasoning item, or its full text where a server gives that instead. */
export function reasoningText(item: JsonObject): string {
  const summary = objectsField(item, 'summary')
  const pieces = summary.length > 0 ? summary : objectsField(item, 'content')
  return pieces.map((piece) => stringField(piece, 'text') ?? '').join('\n\n')
}

export function readCitation(annotation: JsonObject | undefined): Citation | undefined {
  if (annotation === undefined || annotation['type'] !== 'url_citation') return undefined
  const url = stringField(annotation, 'url')
  return { type: 'citation', choice: 0, url, title: stringField(annotation, 'title'), citedText: undefined }
}

export function readUsage(usage: JsonObject, serviceTier: JsonValue | undefined): Usage {
  const input = objectField(usage, 'input_tokens_details') ?? {}
  const output = objectField(usage, 'output_tokens_details') ?? {}
  const counts = {
    input: numberField(usage, 'input_tokens'),
    cachedInput: numberField(input, 'cached_tokens'),
    cacheWriteInput: numberField(input, 'cache_write_tokens'),
    output: numberField(usage, 'output_tokens'),
    reasoning: numberField(output, 'reasoning_tokens'),
  }
  const tier = readServiceTier(serviceTier)
  const known = Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== undefined))
  return tier === undefined ? known : { ...known, serviceTier: tier }
}

const KINDS: ReadonlyMap<string, ErrorEvent['kind']> = new Map([
  ['rate_limit_exceeded', 'rate_limited'],
  ['insufficient_quota', 'rate_limited'],
  ['usage_limit_reached', 'rate_limited'],
  ['server_is_overloaded', 'overloaded'],
  ['slow_down', 'overloaded'],
  ['invalid_prompt', 'invalid_request'],
  ['invalid_request_error', 'invalid_request'],
  ['context_length_exceeded', 'invalid_request'],
])

/** `error` of a failed response or of an `error` event; the latter may nest it. */
export function readError(error: JsonObject): ErrorEvent {
  const nested = objectField(error, 'error') ?? error
  const code = stringField(nested, 'code') ?? (nested === error ? undefined : stringField(nested, 'type'))
  const message = stringField(nested, 'message') ?? 'The provider gave no reason.'
  return { type: 'error', kind: KINDS.get(code ?? '') ?? 'upstream', code, message }
}

import type { ClientContext, ClientError } from '../format.ts'
import type { FinishReason, Usage } from '../ir/chat-event.ts'
import type { JsonObject, JsonValue } from '../ir/chat-request.ts'
import { isJsonObject } from '../ir/json-fields.ts'

/** Times are unknown to a translation; clients of Ollama expect the fields. Nanoseconds. */
const NO_DURATIONS = { total_duration: 0, load_duration: 0, prompt_eval_duration: 0, eval_duration: 0 }

/** @see https://pkg.go.dev/time#RFC3339 */
export function rfc3339(unixMs: number): string {
  return new Date(unixMs).toISOString()
}

/** What the last line has beside the content. */
export function doneFields(reason: FinishReason, usage: Usage | undefined, context: ClientContext): JsonObject {
  return {
    done: true,
    done_reason: doneReason(reason),
    ...NO_DURATIONS,
    prompt_eval_count: usage?.input ?? context.estimatedInputTokens,
    eval_count: usage?.output ?? 0,
  }
}

/** Ollama itself never filters; a word of its own keeps a filtered answer from looking like a whole one. */
export function doneReason(reason: FinishReason): string {
  switch (reason) {
    case 'stop':
    case 'stop-sequence':
    case 'tool-calls':
      return 'stop'
    case 'length':
    case 'context-window':
    case 'pause':
      return 'length'
    case 'content-filter':
      return 'content_filter'
  }
}

/** OpenAI keeps the tokens under `content`, Ollama has the bare list. */
export function tokenList(logprobs: JsonObject | undefined): JsonValue[] | undefined {
  const tokens = logprobs?.['content']
  return Array.isArray(tokens) ? tokens.filter(isJsonObject) : undefined
}

/** The error text that all Ollama clients show as it is. */
export function errorText({ error, correlationId, upstreamMessage }: ClientError): string {
  return `${upstreamMessage ?? error.message} (${error.code}, ${correlationId})`
}

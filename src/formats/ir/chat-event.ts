import type { JsonObject, Signature } from './chat-request.ts'
import type { PricedTier } from './service-tier.ts'

/**
 * A reply as a stream of events. A non-streaming reply is the same events at once, see `collectReply`.
 * Order within a choice: start, then parts (each tool call: start, deltas, end), then finish; usage may come at any time, the last counts.
 */
export type ChatEvent =
  | StartEvent
  | TextDelta
  | ThinkingDelta
  | ThinkingSignature
  | RedactedThinking
  | RefusalDelta
  | ToolCallStart
  | ToolCallDelta
  | ToolCallEnd
  | ImageOutput
  | Citation
  | LogprobsEvent
  | UsageEvent
  | FinishEvent
  | ErrorEvent

export interface StartEvent {
  readonly type: 'start'
  /** The upstream's own id; encoders keep it when it has their prefix, else make one. */
  readonly id: string | undefined
  /** The model that answered, in the upstream's words. */
  readonly model: string | undefined
  /** Unix time in seconds. */
  readonly createdAt: number | undefined
}
/** `choice` counts from 0; only OpenAI chat, completions and Gemini can have more than one. */
export interface TextDelta {
  readonly type: 'text-delta'
  readonly choice: number
  readonly text: string
}
export interface ThinkingDelta {
  readonly type: 'thinking-delta'
  readonly choice: number
  readonly text: string
}
/** Closes the thinking block that the deltas before it made. */
export interface ThinkingSignature {
  readonly type: 'thinking-signature'
  readonly choice: number
  readonly signature: Signature
}
export interface RedactedThinking {
  readonly type: 'redacted-thinking'
  readonly choice: number
  readonly data: Signature
}
export interface RefusalDelta {
  readonly type: 'refusal-delta'
  readonly choice: number
  readonly text: string
}
/** `index` numbers the tool calls of a choice from 0 over the whole reply; deltas of different calls may interleave. */
export interface ToolCallStart {
  readonly type: 'tool-call-start'
  readonly choice: number
  readonly index: number
  /** Never empty: a decoder mints one where the upstream gives none. */
  readonly id: string
  readonly name: string
  readonly signature?: Signature
}
export interface ToolCallDelta {
  readonly type: 'tool-call-delta'
  readonly choice: number
  readonly index: number
  /** A fragment of the JSON text of the arguments. */
  readonly arguments: string
}
export interface ToolCallEnd {
  readonly type: 'tool-call-end'
  readonly choice: number
  readonly index: number
}
/** An image that the model made. */
export interface ImageOutput {
  readonly type: 'image'
  readonly choice: number
  readonly mediaType: string
  /** base64 */
  readonly data: string
}
export interface Citation {
  readonly type: 'citation'
  readonly choice: number
  readonly url: string | undefined
  readonly title: string | undefined
  readonly citedText: string | undefined
}
/** OpenAI's `logprobs` object of a chunk, carried only between formats that have it. */
export interface LogprobsEvent {
  readonly type: 'logprobs'
  readonly choice: number
  readonly logprobs: JsonObject
}
/** Cumulative: a later one replaces an earlier one, field by field. */
export interface UsageEvent {
  readonly type: 'usage'
  readonly usage: Usage
}
export interface FinishEvent {
  readonly type: 'finish'
  readonly choice: number
  readonly reason: FinishReason
  /** The stop sequence that matched, where the upstream tells. */
  readonly stopSequence?: string
  /** Why a reply was refused or filtered, in the provider's words. */
  readonly explanation?: string
}
/** The provider reported an error inside a reply that began well. */
export interface ErrorEvent {
  readonly type: 'error'
  readonly kind: 'overloaded' | 'rate_limited' | 'upstream' | 'invalid_request'
  /** The provider's own error code or type, for logs. */
  readonly code: string | undefined
  readonly message: string
}

export type FinishReason =
  | 'stop'
  | 'stop-sequence'
  | 'length'
  | 'tool-calls'
  | 'content-filter'
  | 'pause'
  | 'context-window'

/** Token counts. `input` includes cached and cache-write tokens; `output` includes reasoning. Absent = the provider did not tell. */
export interface Usage {
  readonly input?: number
  /** Read from a prompt cache; part of `input`. */
  readonly cachedInput?: number
  /** Written to a prompt cache; part of `input`. */
  readonly cacheWriteInput?: number
  /** The part of `cacheWriteInput` with a lifetime of one hour (Anthropic bills it higher). */
  readonly cacheWrite1hInput?: number
  readonly output?: number
  /** Part of `output`. */
  readonly reasoning?: number
  /** What the provider says it charges, decimal USD (OpenRouter `usage.cost`). */
  readonly costUsd?: number
  /** The tier of service that the provider says it used; absent for the standard one. */
  readonly serviceTier?: PricedTier
}

/** A whole reply, collected from its events. */
export interface ChatReply {
  readonly id: string | undefined
  readonly model: string | undefined
  readonly createdAt: number | undefined
  readonly choices: readonly ReplyChoice[]
  readonly usage: Usage | undefined
}
export interface ReplyChoice {
  readonly index: number
  readonly parts: readonly ReplyPart[]
  readonly finish: FinishEvent | undefined
  readonly logprobs: JsonObject | undefined
}
export type ReplyPart =
  | { readonly type: 'text'; readonly text: string; readonly citations: readonly Citation[] }
  | { readonly type: 'thinking'; readonly text: string; readonly signature: Signature | undefined }
  | { readonly type: 'redacted-thinking'; readonly data: Signature }
  | { readonly type: 'refusal'; readonly text: string }
  | {
      readonly type: 'tool-call'
      readonly id: string
      readonly name: string
      readonly arguments: string
      readonly signature: Signature | undefined
    }
  | { readonly type: 'image'; readonly mediaType: string; readonly data: string }

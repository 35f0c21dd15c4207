/**
 * The intermediate form of a chat request: rich enough for every chat-like wire format, tied to none.
 * `decodeRequest` of a format makes it, `encodeRequest` of another writes it out again.
 */
export interface ChatRequest {
  /** As the client wrote it; the pipeline replaces it by the upstream's name before encoding. */
  readonly model: string
  readonly stream: boolean
  /** OpenAI chat `stream_options.include_usage`: whether the client wants the usage chunk. */
  readonly includeUsage: boolean
  /** System and developer text before the first turn, in order. */
  readonly system: readonly TextPart[]
  readonly turns: readonly Turn[]
  readonly tools: readonly Tool[]
  readonly toolChoice: ToolChoice | undefined
  /** `false`: at most one tool call a reply. */
  readonly parallelToolCalls: boolean | undefined
  readonly sampling: Sampling
  readonly maxOutputTokens: number | undefined
  readonly responseFormat: ResponseFormat | undefined
  readonly reasoning: Reasoning | undefined
  /** A stable id of the end user, for abuse detection and cache affinity. */
  readonly user: string | undefined
  readonly serviceTier: string | undefined
  /** OpenAI `prompt_cache_key`: affinity of prompt caches. */
  readonly promptCacheKey: string | undefined
  /** Parameters of the client's format that the intermediate form does not carry: dropped, counted, never silent. */
  readonly dropped: readonly string[]
}

/** A request without its conversation: what the form of the reply depends on. */
export type ChatOptions = Omit<ChatRequest, 'turns'>

export type Turn = SystemTurn | UserTurn | AssistantTurn | ToolTurn

/** An instruction in the middle of a conversation (before the first turn it stands in `ChatRequest.system`). */
export interface SystemTurn {
  readonly role: 'system'
  readonly parts: readonly TextPart[]
}
export interface UserTurn {
  readonly role: 'user'
  readonly parts: readonly UserPart[]
}
export interface AssistantTurn {
  readonly role: 'assistant'
  readonly parts: readonly AssistantPart[]
}
/** Results of one or more tool calls; neighbouring tool messages are one turn. */
export interface ToolTurn {
  readonly role: 'tool'
  readonly results: readonly ToolResult[]
}

export type UserPart = TextPart | ImagePart | DocumentPart | AudioPart
export type AssistantPart = TextPart | ThinkingPart | RedactedThinkingPart | RefusalPart | ToolCallPart | ImagePart

export interface TextPart {
  readonly type: 'text'
  readonly text: string
  readonly cache?: CacheHint
}
export interface ImagePart {
  readonly type: 'image'
  readonly source: MediaSource
  readonly detail?: 'auto' | 'low' | 'high' | 'original'
  readonly cache?: CacheHint
}
/** PDF or plain text handed to the model as a file. */
export interface DocumentPart {
  readonly type: 'document'
  readonly source: MediaSource | { readonly kind: 'text'; readonly text: string }
  readonly title?: string
  readonly cache?: CacheHint
}
export interface AudioPart {
  readonly type: 'audio'
  readonly source: MediaSource
}
export type MediaSource =
  | { readonly kind: 'base64'; readonly mediaType: string; readonly data: string }
  /** Never fetched by the gateway: passed on as a URL or refused. */
  | { readonly kind: 'url'; readonly url: string; readonly mediaType?: string }
  /** An id of the provider's own file store; only its issuer knows it. */
  | { readonly kind: 'file'; readonly id: string }
export interface ThinkingPart {
  readonly type: 'thinking'
  readonly text: string
  readonly signature?: Signature
}
/** Thinking that its issuer encrypted (Anthropic `redacted_thinking`, OpenAI `encrypted_content`). */
export interface RedactedThinkingPart {
  readonly type: 'redacted-thinking'
  readonly data: Signature
  /** OpenAI Responses: id of the reasoning item, where the client sent one. */
  readonly id?: string
}
export interface RefusalPart {
  readonly type: 'refusal'
  readonly text: string
}
export interface ToolCallPart {
  readonly type: 'tool-call'
  readonly id: string
  /** The tool's name in `ChatRequest.tools`. */
  readonly name: string
  /** JSON text of an object, as the model wrote it; never re-parsed on the way. '' counts as `{}`. */
  readonly arguments: string
  /** Gemini thought signature bound to this call. */
  readonly signature?: Signature
  readonly cache?: CacheHint
}
export interface ToolResult {
  readonly callId: string
  /** Given where the wire format has it (Gemini, Ollama); else found by `callId` in the history. */
  readonly name?: string
  readonly parts: readonly (TextPart | ImagePart | DocumentPart)[]
  readonly isError: boolean
  readonly cache?: CacheHint
}

/** Signatures are bound to their issuer: another provider refuses them (conversion.md §7). */
export interface Signature {
  /** Provider family that made it, e.g. `anthropic`, `gemini`, `openai`; undefined when the client's text does not tell. */
  readonly issuer: string | undefined
  readonly value: string
}
/** Anthropic `cache_control`, also used by OpenRouter and LiteLLM clients on OpenAI parts. */
export interface CacheHint {
  readonly ttl?: '5m' | '1h'
}

export interface Tool {
  /** Unique in the request; a Responses namespace tool is flattened to `namespace__name`. */
  readonly name: string
  readonly description: string | undefined
  /** JSON Schema of the arguments, as the client sent it. */
  readonly parameters: JsonObject | undefined
  readonly strict: boolean | undefined
  /** What the client called it, so that the reply can be written in the same terms. */
  readonly origin: ToolOrigin
  readonly cache?: CacheHint
}
export type ToolOrigin =
  /** `legacy`: from OpenAI chat's `functions`, so the call is answered as `function_call`. */
  | { readonly kind: 'function'; readonly legacy?: true }
  /** OpenAI custom tool: free text in, carried as `{"input": text}`. */
  | { readonly kind: 'custom' }
  /** `custom`: a custom tool within the namespace. */
  | { readonly kind: 'namespace'; readonly namespace: string; readonly name: string; readonly custom?: true }

export type ToolChoice =
  | { readonly type: 'none' | 'auto' | 'required' }
  /** One tool: forced. Several: the model must call one of them. */
  | { readonly type: 'tools'; readonly names: readonly string[]; readonly mode: 'auto' | 'required' }

export interface Sampling {
  readonly temperature?: number
  readonly topP?: number
  readonly topK?: number
  readonly seed?: number
  readonly presencePenalty?: number
  readonly frequencyPenalty?: number
  readonly stop?: readonly string[]
  /** Number of choices; 1 when absent. */
  readonly n?: number
  readonly logprobs?: boolean
  readonly topLogprobs?: number
  readonly logitBias?: JsonObject
}

export type ResponseFormat =
  | { readonly type: 'text' }
  | { readonly type: 'json' }
  | {
      readonly type: 'json-schema'
      readonly name: string
      readonly description?: string
      readonly schema: JsonObject
      readonly strict?: boolean
    }

export type ReasoningEffort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max'
/** Either or both may be given; absent `ChatRequest.reasoning` leaves it to the provider. */
export interface Reasoning {
  readonly effort?: ReasoningEffort
  /** Tokens the model may think; 0 = off. */
  readonly budgetTokens?: number
  /** Anthropic `adaptive`, Gemini budget -1: the model decides. */
  readonly adaptive?: boolean
  /** Whether the client wants to see thoughts or their summary. */
  readonly includeThoughts?: boolean
}

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject
export interface JsonObject {
  readonly [key: string]: JsonValue
}

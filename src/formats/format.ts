import type { KorProxyError } from '#errors/korproxy-error.ts'
import type { ChatEvent, ChatReply } from './ir/chat-event.ts'
import type { ChatOptions, ChatRequest, JsonObject } from './ir/chat-request.ts'
import type { EmbeddingReply, EmbeddingRequest } from './ir/embedding.ts'

/** Wire formats of chat-like requests. `openai-completions` and `ollama-generate` are spoken to clients and passed through, never translated to. */
export type ChatFormatName =
  | 'openai-chat'
  | 'openai-responses'
  | 'openai-completions'
  | 'anthropic'
  | 'gemini'
  | 'ollama-chat'
  | 'ollama-generate'

export type EmbeddingFormatName =
  | 'openai-embeddings'
  | 'gemini-embed'
  | 'gemini-batch-embed'
  | 'ollama-embed'
  | 'ollama-embeddings'

/** Families share an error shape, model lists and a client SDK. */
export type FormatFamily = 'openai' | 'anthropic' | 'gemini' | 'ollama'

/** What the catalogue knows of the model that will answer. Absent = unknown, not false. */
export interface TargetModel {
  /** The name to send upstream. */
  readonly id: string
  /** Who issues signatures, e.g. `anthropic`; only signatures of this issuer are sent back to it. */
  readonly issuer: string
  readonly maxOutputTokens?: number
  readonly contextWindow?: number
  readonly capabilities: ModelCapabilities
  readonly quirks: TargetQuirks
}
export interface ModelCapabilities {
  readonly tools?: boolean
  /** `tool_choice` may name or require a tool. */
  readonly forcedToolUse?: boolean
  readonly vision?: boolean
  readonly pdf?: boolean
  readonly audioIn?: boolean
  readonly reasoning?: boolean
  /** Anthropic: `thinking: {type: adaptive}` with `output_config.effort`. */
  readonly adaptiveThinking?: boolean
  readonly thinkingAlwaysOn?: boolean
  /** Anthropic: `output_config.effort` may be `xhigh`, `max`; without them the effort is lowered to `high`. */
  readonly effortXhigh?: boolean
  readonly effortMax?: boolean
  /** temperature, top_p, top_k are accepted. */
  readonly sampling?: boolean
  /** Anthropic: `role: system` within messages. */
  readonly midSystem?: boolean
  readonly jsonSchema?: boolean
  /** The conversation may end with an assistant message to be continued. */
  readonly prefill?: boolean
  /** Gemini 3 and later: `thinkingLevel`, mandatory thought signatures. */
  readonly thinkingLevel?: boolean
}
/** How a provider departs from its format; set by `src/providers`, read by `encodeRequest`. */
export interface TargetQuirks {
  /** OpenAI itself wants `max_completion_tokens`; most compatible servers know only `max_tokens`. */
  readonly maxTokensField?: 'max_tokens' | 'max_completion_tokens'
  /** How a system message in the middle is written for OpenAI-like servers. */
  readonly midSystemAs?: 'system' | 'user'
  /** Replays `reasoning_content` of earlier turns (DeepSeek, Qwen, Kimi). */
  readonly replayReasoning?: boolean
  /** Ollama: context size to ask for, tokens. */
  readonly numCtx?: number
  /** Answers streams only: a whole reply is collected from one. */
  readonly streamOnly?: boolean
  /** Sends `stream_options.include_usage`; a few servers refuse it. */
  readonly streamUsage?: boolean
  /** Gemini: a server that knows only `parameters` and `responseSchema`, the OpenAPI subset of JSON Schema. */
  readonly openApiSchemas?: boolean
  /** What to do with parameters that change the answer's shape and cannot be carried (n > 1, logprobs …). */
  readonly onUnsupported: 'Error' | 'Drop'
}

export interface EncodedRequest {
  readonly body: JsonObject
  /** Parameters left out, as the format's table of losses says; counted in `korproxy_conversion_dropped_params_total`. */
  readonly dropped: readonly string[]
  readonly replyContext: ReplyContext
}
/** A request of a format from which the thinking of earlier turns was taken out, and the names of what went. */
export interface StrippedRequest {
  readonly body: JsonObject
  readonly dropped: readonly string[]
}
/** What the reply's decoder must know of the request that was sent. */
export interface ReplyContext {
  /** Provider family whose signatures the reply carries. */
  readonly issuer: string
  /** Names that had to be shortened or cleaned → the client's names. */
  readonly toolNames: ReadonlyMap<string, string>
  /** A tool that stands for a JSON-schema answer: its arguments are the text. */
  readonly jsonTool: string | undefined
}

/** What an encoder of replies needs from outside; formats are pure. */
export interface ClientContext {
  readonly request: ChatOptions
  /** Unix time in milliseconds. */
  readonly now: number
  /** Makes a unique, URL-safe id part (no prefix). */
  readonly newId: () => string
  /** Estimate of the prompt's tokens, for formats that announce usage first (Anthropic). */
  readonly estimatedInputTokens: number
}

/** One event of a streamed reply as it is on the wire: an SSE event, or a line of NDJSON as `data`. */
export interface Frame {
  /** SSE `event:` field. */
  readonly event?: string | undefined
  readonly data: string
}

/**
 * Turns frames into events. Throws `KorProxyError` KP-PROV-109 on a frame that is not valid in its format.
 * Unknown event types give no events.
 */
export interface StreamDecoder {
  push(frame: Frame): ChatEvent[]
  /** Called at the end of the upstream's body; gives what is still due (open tool calls' ends), never a made-up finish. */
  end(): ChatEvent[]
}
/** Turns events into the bytes of the client's stream, as text. */
export interface StreamEncoder {
  push(event: ChatEvent): string
  /** After the finish event: the rest up to and including the terminator. */
  end(): string
  /** Instead of `end`: closes the stream with an error that the format's SDKs raise. */
  fail(error: ClientError): string
}

/** A `KorProxyError` with what the client should be told around it. */
export interface ClientError {
  readonly error: KorProxyError
  readonly correlationId: string
  /** Page of the code, e.g. `https://…/errors/KP-PROV-110`. */
  readonly docsUrl: string
  /** The provider's message, kept for errors about the request itself (already free of secrets). */
  readonly upstreamMessage?: string
}
export interface RenderedError {
  readonly status: number
  readonly body: JsonObject
}

export interface ChatFormat {
  readonly name: ChatFormatName
  readonly family: FormatFamily
  readonly framing: 'sse' | 'ndjson'
  readonly streamContentType: string
  /** @throws KorProxyError KP-SYS-516 with the field, KP-PROV-112 for what the intermediate form cannot hold */
  decodeRequest(body: JsonObject, path: RequestPath): ChatRequest
  /** Absent for formats that are never a translation target. @throws KorProxyError KP-PROV-112 */
  readonly encodeRequest?: (request: ChatRequest, target: TargetModel) => EncodedRequest
  /**
   * The request for a provider that did not take the thinking of earlier turns back, because somebody else signed it: without it, and with
   * what its absence demands. Undefined: there is nothing to take out. Absent: the format has no signed thinking.
   */
  readonly withoutThinking?: (body: JsonObject, target: TargetModel) => StrippedRequest | undefined
  /** @throws KorProxyError KP-PROV-109 when the body is not a reply of this format */
  decodeReply(body: JsonObject, context: ReplyContext): ChatEvent[]
  /**
   * The same for a reply whose bytes pass: of its events only those that the gateway itself needs (start, usage, finish, error).
   * Absent: `decodeReply` is quick enough.
   */
  readonly inspectReply?: (body: JsonObject) => ChatEvent[]
  encodeReply(reply: ChatReply, context: ClientContext): JsonObject
  streamDecoder(context: ReplyContext): StreamDecoder
  streamEncoder(context: ClientContext): StreamEncoder
  /** Keeps an idle stream alive without being content; see formats.md §11. */
  readonly heartbeat: string
}
/** What some formats say in the path instead of the body (Gemini). */
export interface RequestPath {
  readonly model?: string
  readonly stream?: boolean
}

export interface EmbeddingFormat {
  readonly name: EmbeddingFormatName
  readonly family: FormatFamily
  decodeRequest(body: JsonObject, path: RequestPath): EmbeddingRequest
  encodeRequest(
    request: EmbeddingRequest,
    target: TargetModel,
  ): { readonly body: JsonObject; readonly dropped: readonly string[] }
  decodeReply(body: JsonObject): EmbeddingReply
  encodeReply(reply: EmbeddingReply, request: EmbeddingRequest): JsonObject
  /** A request for another name of the model, where the body repeats the name of the path. Absent: `model` of the body says all. */
  readonly withModel?: (body: JsonObject, model: string) => JsonObject
}

/** A model as lists show it. */
export interface ModelEntry {
  readonly id: string
  readonly displayName: string
  readonly ownedBy: string
  /** Unix time in seconds. */
  readonly createdAt: number
  readonly contextWindow: number | undefined
  readonly maxOutputTokens: number | undefined
  readonly capabilities: ModelCapabilities
  readonly requestTypes: readonly string[]
}
/** Shapes shared by all formats of a family. */
export interface FamilyShapes {
  readonly family: FormatFamily
  encodeError(error: ClientError): RenderedError
  encodeModelList(models: readonly ModelEntry[]): JsonObject
  encodeModel(model: ModelEntry): JsonObject
}

import { KorProxyError } from '#errors/korproxy-error.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import { isJsonObject } from '../ir/json-fields.ts'

/** `GenerateContentResponse`, whole or a chunk of a stream. @see https://ai.google.dev/api/generate-content#generatecontentresponse */
export interface ReplyChunk {
  readonly candidates?: readonly ReplyCandidate[]
  readonly promptFeedback?: { readonly blockReason?: string; readonly blockReasonMessage?: string }
  readonly usageMetadata?: UsageMetadata
  readonly modelVersion?: string
  readonly responseId?: string
  readonly error?: GoogleError
}
export interface ReplyCandidate {
  readonly content?: { readonly parts?: readonly ReplyPartChunk[] }
  readonly finishReason?: string
  readonly finishMessage?: string
  readonly index?: number
  readonly groundingMetadata?: GroundingMetadata
  readonly citationMetadata?: CitationMetadata
  readonly logprobsResult?: JsonObject
}
export interface ReplyPartChunk {
  readonly text?: string
  readonly thought?: boolean
  readonly thoughtSignature?: string
  readonly inlineData?: { readonly mimeType: string; readonly data: string }
  readonly functionCall?: FunctionCallChunk
}
export interface FunctionCallChunk {
  readonly id?: string
  readonly name?: string
  readonly args?: JsonObject
  readonly partialArgs?: readonly PartialArg[]
  readonly willContinue?: boolean
}
export interface PartialArg {
  /** RFC 9535, e.g. `$.foo.bar[0].data`. */
  readonly jsonPath?: string
  readonly stringValue?: string
  readonly numberValue?: number
  readonly boolValue?: boolean
  readonly nullValue?: unknown
}
export interface UsageMetadata {
  readonly promptTokenCount?: number
  readonly cachedContentTokenCount?: number
  readonly candidatesTokenCount?: number
  readonly thoughtsTokenCount?: number
  readonly toolUsePromptTokenCount?: number
  readonly totalTokenCount?: number
  readonly serviceTier?: string
}
interface GroundingMetadata {
  readonly groundingChunks?: readonly { readonly web?: { readonly uri?: string; readonly title?: string } }[]
  readonly groundingSupports?: readonly {
    readonly segment?: { readonly text?: string }
    readonly groundingChunkIndices?: readonly number[]
  }[]
}
interface CitationMetadata {
  readonly citationSources?: readonly { readonly uri?: string }[]
  readonly citations?: readonly { readonly uri?: string; readonly title?: string }[]
}
export interface GoogleError {
  readonly code?: number
  readonly message?: string
  readonly status?: string
}

/**
 * Checks the frame of a reply; what is inside is checked where it is read, because this runs once per chunk of every stream.
 * A list is what Google sends without `alt=sse`, and how it wraps errors now and then.
 * @throws KorProxyError KP-PROV-109
 */
export function readReplyChunks(body: unknown): ReplyChunk[] {
  if (Array.isArray(body)) return body.flatMap(readReplyChunks)
  if (!isJsonObject(body)) throw brokenReply('a reply must be an object')
  const { candidates, error } = body
  if (candidates !== undefined && !(Array.isArray(candidates) && candidates.every(isJsonObject))) {
    throw brokenReply('candidates must be a list of objects')
  }
  if (error !== undefined && !isJsonObject(error)) return [{ error: { message: JSON.stringify(error) } }]
  // The frame was checked above; its readers test each field they use.
  return [body as ReplyChunk]
}

export function brokenReply(reason: string, cause?: unknown): KorProxyError {
  return new KorProxyError('KP-PROV-109', { reason }, { cause })
}

/**
 * Runs a reader over a reply whose fields were not checked beforehand: a field of the wrong type is the provider's fault, not ours.
 * @throws KorProxyError KP-PROV-109
 */
export function readingReply<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (cause instanceof TypeError) throw brokenReply('a field has the wrong type', cause)
    throw cause
  }
}

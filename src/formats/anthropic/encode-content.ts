import { KorProxyError } from '#errors/korproxy-error.ts'
import type {
  CacheHint,
  DocumentPart,
  ImagePart,
  JsonObject,
  MediaSource,
  TextPart,
  ToolResult,
  UserPart,
} from '../ir/chat-request.ts'

/** @see https://platform.claude.com/docs/en/build-with-claude/vision */
const IMAGE_TYPES = ['image/jpeg', 'image/png', 'image/gif', 'image/webp']
/** What programs call `image/jpeg` as well. */
const JPEG_NAMES = new Set(['image/jpg', 'image/pjpeg', 'image/jfif'])

export function cacheControl(cache: CacheHint | undefined): { cache_control?: JsonObject } {
  if (cache === undefined) return {}
  return { cache_control: { type: 'ephemeral', ...(cache.ttl !== undefined && { ttl: cache.ttl }) } }
}

/** Anthropic refuses text blocks that are empty or only white space, so they are left out. */
export function textBlocks(part: TextPart): JsonObject[] {
  return part.text.trim() === '' ? [] : [{ type: 'text', text: part.text, ...cacheControl(part.cache) }]
}

/** @throws KorProxyError KP-PROV-112 for what has no block */
export function userBlocks(part: UserPart): JsonObject[] {
  switch (part.type) {
    case 'text':
      return textBlocks(part)
    case 'image':
      return [imageBlock(part)]
    case 'document':
      return [documentBlock(part)]
    case 'audio':
      throw unsupported('input_audio', 'the Messages API takes no audio')
  }
}

/** @see https://platform.claude.com/docs/en/agents-and-tools/tool-use/handle-tool-calls A result may have no content at all. */
export function toolResultBlock(id: string, result: ToolResult): JsonObject {
  const blocks = result.parts.flatMap((part) => userBlocks(part))
  const [first] = blocks
  const content = blocks.length === 1 && first?.['type'] === 'text' ? first['text'] : blocks
  return {
    type: 'tool_result',
    tool_use_id: id,
    ...(blocks.length > 0 && content !== undefined && { content }),
    ...(result.isError && { is_error: true }),
    ...cacheControl(result.cache),
  }
}

export function unsupported(parameter: string, reason: string): KorProxyError {
  return new KorProxyError('KP-PROV-112', { parameter, target: 'Anthropic', reason })
}

function imageBlock(part: ImagePart): JsonObject {
  return { type: 'image', source: mediaSource(imageSource(part.source), 'image'), ...cacheControl(part.cache) }
}

function imageSource(source: MediaSource): MediaSource {
  return source.kind === 'base64' ? { ...source, mediaType: imageType(source.mediaType) } : source
}

function imageType(given: string): string {
  const lower = given.trim().toLowerCase()
  const mediaType = JPEG_NAMES.has(lower) ? 'image/jpeg' : lower
  if (IMAGE_TYPES.includes(mediaType)) return mediaType
  throw unsupported('image', `images of type ${given} are not taken, only ${IMAGE_TYPES.join(', ')}`)
}

function documentBlock(part: DocumentPart): JsonObject {
  return {
    type: 'document',
    source: documentSource(part.source),
    ...(part.title !== undefined && { title: part.title }),
    ...cacheControl(part.cache),
  }
}

/** Base64 documents are PDF; plain text has a source of its own: https://platform.claude.com/docs/en/build-with-claude/pdf-support */
function documentSource(source: DocumentPart['source']): JsonObject {
  if (source.kind === 'text') return { type: 'text', media_type: 'text/plain', data: source.text }
  if (source.kind !== 'base64' || source.mediaType === 'application/pdf') return mediaSource(source, 'file')
  if (/^text\/|^application\/json\b/.test(source.mediaType)) {
    return { type: 'text', media_type: 'text/plain', data: decodeBase64Text(source.data) }
  }
  throw unsupported('file', `documents of type ${source.mediaType} are not taken, only PDF and text`)
}

function mediaSource(source: MediaSource, parameter: string): JsonObject {
  switch (source.kind) {
    case 'base64':
      return { type: 'base64', media_type: source.mediaType, data: source.data }
    case 'url':
      return { type: 'url', url: source.url }
    case 'file':
      throw unsupported(parameter, 'file ids of another provider are unknown there')
  }
}

function decodeBase64Text(data: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(atob(data), (char) => char.charCodeAt(0)))
  } catch (error) {
    throw notBase64Text(error)
  }
}

function notBase64Text(cause: unknown): KorProxyError {
  return new KorProxyError('KP-SYS-516', { message: 'file data is not base64 of UTF-8 text' }, { cause })
}

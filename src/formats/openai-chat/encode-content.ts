import { KorProxyError } from '#errors/korproxy-error.ts'
import type { AudioPart, DocumentPart, ImagePart, JsonObject, JsonValue, UserPart } from '../ir/chat-request.ts'
import { writeDataUrl } from '../ir/data-url.ts'
import { jsonFields } from '../ir/json-fields.ts'
import type { EncodingContext } from './encoding-context.ts'

const AUDIO_FORMATS: ReadonlyMap<string, string> = new Map<string, string>([
  ['audio/wav', 'wav'],
  ['audio/x-wav', 'wav'],
  ['audio/wave', 'wav'],
  ['audio/mpeg', 'mp3'],
  ['audio/mp3', 'mp3'],
])

/** A single text as a string, which every server understands; anything else as parts. */
export function encodeUserContent(parts: readonly UserPart[], context: EncodingContext): JsonValue {
  const [first, ...others] = parts
  if (first === undefined) return ''
  if (first.type === 'text' && others.length === 0) return first.text
  return parts.map((part) => encodePart(part, context))
}

function encodePart(part: UserPart, context: EncodingContext): JsonObject {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text }
    case 'image':
      return { type: 'image_url', image_url: encodeImage(part, context) }
    case 'document':
      return encodeDocument(part, context)
    case 'audio':
      return { type: 'input_audio', input_audio: encodeAudio(part, context) }
  }
}

function encodeImage({ source, detail }: ImagePart, context: EncodingContext): JsonObject {
  switch (source.kind) {
    case 'base64':
      return jsonFields({ url: writeDataUrl(source.mediaType, source.data), detail })
    case 'url':
      return jsonFields({ url: source.url, detail })
    case 'file':
      throw inexpressible('an image by file id', 'ids of one provider’s file store mean nothing to another', context)
  }
}

function encodeDocument(part: DocumentPart, context: EncodingContext): JsonObject {
  const text = readDocumentText(part)
  if (text !== undefined) return { type: 'text', text }
  const { source, title } = part
  switch (source.kind) {
    case 'base64': {
      const filename = title ?? (source.mediaType === 'application/pdf' ? 'document.pdf' : 'document')
      return { type: 'file', file: { filename, file_data: writeDataUrl(source.mediaType, source.data) } }
    }
    case 'file':
      if (context.target.issuer === 'openai') return { type: 'file', file: { file_id: source.id } }
      throw inexpressible('a document by file id', 'ids of one provider’s file store mean nothing to another', context)
    case 'url':
      throw inexpressible(
        'a document by URL',
        'the OpenAI chat format takes documents only with their content',
        context,
      )
    case 'text':
      return { type: 'text', text: source.text }
  }
}

function encodeAudio({ source }: AudioPart, context: EncodingContext): JsonObject {
  const format = source.kind === 'base64' ? AUDIO_FORMATS.get(source.mediaType) : undefined
  if (source.kind !== 'base64' || format === undefined) {
    throw inexpressible('this audio', 'the OpenAI chat format takes wav and mp3 with their content', context)
  }
  return { data: source.data, format }
}

/** Plain text needs no file: every model reads it as text. Undefined for what is not text. @throws KorProxyError KP-SYS-516 */
export function readDocumentText({ source }: DocumentPart): string | undefined {
  if (source.kind === 'text') return source.text
  if (source.kind !== 'base64' || !/^text\/|^application\/json\b/.test(source.mediaType)) return undefined
  return new TextDecoder().decode(readBase64(source.data))
}

function readBase64(data: string): Uint8Array {
  try {
    return Uint8Array.from(atob(data), (char) => char.charCodeAt(0))
  } catch (error) {
    throw notBase64(error)
  }
}

function notBase64(cause: unknown): KorProxyError {
  return new KorProxyError('KP-SYS-516', { message: 'file data is not base64' }, { cause })
}

function inexpressible(parameter: string, reason: string, { target }: EncodingContext): KorProxyError {
  return new KorProxyError('KP-PROV-112', { parameter, target: target.id, reason })
}

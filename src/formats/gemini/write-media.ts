import { KorProxyError } from '#errors/korproxy-error.ts'
import type { AudioPart, DocumentPart, ImagePart, JsonObject, MediaSource } from '../ir/chat-request.ts'
import { readMediaUrl } from '../ir/data-url.ts'

/**
 * A part with media. Gemini reads only addresses that Google serves; others are refused, because the gateway fetches nothing.
 * @throws KorProxyError KP-PROV-112 for an address or file that Gemini cannot read
 * @see https://ai.google.dev/gemini-api/docs/file-input-methods
 */
export function writeMedia(part: ImagePart | DocumentPart | AudioPart): JsonObject {
  if (part.source.kind !== 'text') return writeSource(part.source, part.type)
  const title = part.type === 'document' ? part.title : undefined
  return { text: title === undefined ? part.source.text : `${title}\n\n${part.source.text}` }
}

const READABLE =
  /^(gs:\/\/|https:\/\/generativelanguage\.googleapis\.com\/|https:\/\/(www\.|m\.)?youtube\.com\/|https:\/\/youtu\.be\/)/
const FILE_NAME = /^files\/[a-zA-Z0-9_-]+$/

function writeSource(source: MediaSource, kind: string): JsonObject {
  if (source.kind === 'base64') return { inlineData: { mimeType: source.mediaType, data: source.data } }
  if (source.kind === 'file') {
    const uri = FILE_NAME.test(source.id) ? `https://generativelanguage.googleapis.com/v1beta/${source.id}` : source.id
    if (!READABLE.test(uri)) throw unreadableSource(kind, 'the file id belongs to another provider')
    return { fileData: { fileUri: uri } }
  }
  const read = readMediaUrl(source.url)
  if (read.kind === 'base64') return writeSource(read, kind)
  if (!READABLE.test(source.url)) {
    throw unreadableSource(kind, 'Gemini reads only gs://, Files API and YouTube addresses; send the data itself')
  }
  return {
    fileData: { fileUri: source.url, ...(source.mediaType === undefined ? {} : { mimeType: source.mediaType }) },
  }
}

function unreadableSource(kind: string, reason: string): KorProxyError {
  return new KorProxyError('KP-PROV-112', { parameter: kind, target: 'gemini', reason })
}

import { KorProxyError } from '#errors/korproxy-error.ts'
import type { AudioPart, DocumentPart, ImagePart, MediaSource } from '../ir/chat-request.ts'
import { present } from './present.ts'
import type { GeminiPart } from './request-schema.ts'

type Media = Pick<GeminiPart, 'inlineData' | 'fileData'>

/** `inlineData` or `fileData` of a part; undefined when it has neither. @throws KorProxyError KP-PROV-112 for video */
export function readMedia(part: Media, field: string): ImagePart | DocumentPart | AudioPart | undefined {
  if (part.inlineData !== undefined) {
    const { mimeType, data, displayName } = part.inlineData
    return mediaPart({ kind: 'base64', mediaType: mimeType, data: standardBase64(data) }, displayName, field)
  }
  if (part.fileData === undefined) return undefined
  const { fileUri, mimeType, displayName } = part.fileData
  const source: MediaSource =
    mimeType === undefined ? { kind: 'url', url: fileUri } : { kind: 'url', url: fileUri, mediaType: mimeType }
  return mediaPart(source, displayName, field)
}

function mediaPart(
  source: Exclude<MediaSource, { kind: 'file' }>,
  title: string | undefined,
  field: string,
): ImagePart | DocumentPart | AudioPart {
  const [kind] = (source.mediaType ?? '').toLowerCase().split('/')
  if (kind === 'image') return { type: 'image', source }
  if (kind === 'audio') return { type: 'audio', source }
  if (kind === 'video') {
    throw new KorProxyError('KP-PROV-112', {
      parameter: field,
      target: 'other formats',
      reason: 'only Gemini itself takes video',
    })
  }
  return { type: 'document', source, ...present({ title }) }
}

/**
 * Bytes come in either alphabet and with or without padding; Google's Python SDK takes the URL-safe one. Other APIs know the
 * standard one only.
 * @see https://protobuf.dev/programming-guides/json/
 */
function standardBase64(text: string): string {
  const standard = text.replaceAll('-', '+').replaceAll('_', '/')
  return standard.padEnd(Math.ceil(standard.length / 4) * 4, '=')
}

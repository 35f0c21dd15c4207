import { KorProxyError } from '#errors/korproxy-error.ts'
import type { TargetModel } from '../format.ts'
import type {
  DocumentPart,
  ImagePart,
  JsonObject,
  JsonValue,
  TextPart,
  ToolResult,
  UserPart,
} from '../ir/chat-request.ts'
import { writeDataUrl } from '../ir/data-url.ts'
import { jsonFields } from '../ir/json-fields.ts'

/** @throws KorProxyError KP-PROV-112 for audio */
export function encodeUserContent(parts: readonly UserPart[], target: TargetModel): JsonObject[] {
  return parts.map((part) => {
    if (part.type !== 'audio') return encodeInputPart(part)
    const reason = 'the Responses API takes no audio input.'
    throw new KorProxyError('KP-PROV-112', { parameter: 'input_audio', target: target.id, reason })
  })
}

/** Text alone goes as a string, which every server of this format reads. The format has no mark for a failed call: the text says so. */
export function encodeToolOutput(result: ToolResult): JsonValue {
  const prefix = result.isError ? 'Error: ' : ''
  if (result.parts.every((part) => part.type === 'text')) {
    return prefix + result.parts.map((part) => part.text).join('\n')
  }
  const parts = result.parts.map(encodeInputPart)
  return result.isError ? [{ type: 'input_text', text: 'Error:' }, ...parts] : parts
}

function encodeInputPart(part: TextPart | ImagePart | DocumentPart): JsonObject {
  switch (part.type) {
    case 'text':
      return { type: 'input_text', text: part.text }
    case 'image':
      return encodeImage(part)
    case 'document':
      return encodeDocument(part)
  }
}

function encodeImage({ source, detail }: ImagePart): JsonObject {
  switch (source.kind) {
    case 'base64':
      return jsonFields({ type: 'input_image', image_url: writeDataUrl(source.mediaType, source.data), detail })
    case 'url':
      return jsonFields({ type: 'input_image', image_url: source.url, detail })
    case 'file':
      return jsonFields({ type: 'input_image', file_id: source.id, detail })
  }
}

function encodeDocument({ source, title }: DocumentPart): JsonObject {
  switch (source.kind) {
    case 'text':
      return { type: 'input_text', text: title === undefined ? source.text : `${title}\n\n${source.text}` }
    case 'base64':
      return {
        type: 'input_file',
        filename: title ?? 'document.pdf',
        file_data: writeDataUrl(source.mediaType, source.data),
      }
    case 'url':
      return { type: 'input_file', file_url: source.url }
    case 'file':
      return { type: 'input_file', file_id: source.id }
  }
}

import { KorProxyError } from '#errors/korproxy-error.ts'
import type {
  AssistantPart,
  AudioPart,
  DocumentPart,
  ImagePart,
  MediaSource,
  TextPart,
  UserPart,
} from '../ir/chat-request.ts'
import { readMediaUrl } from '../ir/data-url.ts'
import type { Content, ContentPart } from './request-schema.ts'

type InputImage = Extract<ContentPart, { type: 'input_image' }>
type InputFile = Extract<ContentPart, { type: 'input_file' }>
type InputAudio = Extract<ContentPart, { type: 'input_audio' }>

/** Content of a user message or of a tool's output. `field` names it in errors. */
export function decodeUserContent(content: Content, field: string): UserPart[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  return content.map((part, at) => decodeUserPart(part, `${field}[${at}]`))
}

/** Output of a tool: audio has no form there. */
export function decodeToolOutput(content: Content, field: string): (TextPart | ImagePart | DocumentPart)[] {
  if (content === '') return []
  return decodeUserContent(content, field).map((part) => {
    if (part.type !== 'audio') return part
    throw wrongPart(field, 'input_audio', 'a tool output')
  })
}

export function decodeAssistantContent(content: Content, field: string): AssistantPart[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  return content.map((part, at) => {
    if (part.type === 'refusal') return { type: 'refusal', text: part.refusal }
    if ('text' in part) return { type: 'text', text: part.text }
    throw wrongPart(`${field}[${at}]`, part.type, 'an assistant message')
  })
}

export function decodeSystemContent(content: Content, field: string): TextPart[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  return content.map((part, at) => {
    if ('text' in part) return { type: 'text', text: part.text }
    throw wrongPart(`${field}[${at}]`, part.type, 'a system or developer message')
  })
}

function decodeUserPart(part: ContentPart, field: string): UserPart {
  switch (part.type) {
    case 'input_text':
    case 'output_text':
    case 'text':
    case 'summary_text':
    case 'reasoning_text':
      return { type: 'text', text: part.text }
    case 'refusal':
      return { type: 'text', text: part.refusal }
    case 'input_image':
      return decodeImage(part, field)
    case 'input_file':
      return decodeFile(part, field)
    case 'input_audio':
      return decodeAudio(part)
  }
}

function decodeImage(part: InputImage, field: string): ImagePart {
  const source = readSource(part.image_url, part.file_id)
  if (source === undefined) throw missingField(field, 'image_url or file_id')
  return part.detail ? { type: 'image', source, detail: part.detail } : { type: 'image', source }
}

function decodeFile(part: InputFile, field: string): DocumentPart {
  const source = readSource(part.file_url, part.file_id) ?? readFileData(part.file_data)
  if (source === undefined) throw missingField(field, 'file_data, file_id or file_url')
  return part.filename ? { type: 'document', source, title: part.filename } : { type: 'document', source }
}

function readSource(url: string | null | undefined, fileId: string | null | undefined): MediaSource | undefined {
  if (url) return readMediaUrl(url)
  return fileId ? { kind: 'file', id: fileId } : undefined
}

/** `file_data` is a data URL in OpenAI's examples; plain base64 is taken for a PDF. */
function readFileData(data: string | null | undefined): MediaSource | undefined {
  if (!data) return undefined
  const source = readMediaUrl(data)
  return source.kind === 'base64' ? source : { kind: 'base64', mediaType: 'application/pdf', data }
}

function decodeAudio(part: InputAudio): AudioPart {
  const { data, format } = part.input_audio
  return { type: 'audio', source: { kind: 'base64', mediaType: `audio/${format}`, data } }
}

function wrongPart(field: string, type: string, place: string): KorProxyError {
  return new KorProxyError('KP-SYS-516', { message: `${field}: ${type} cannot stand in ${place}` })
}

function missingField(field: string, names: string): KorProxyError {
  return new KorProxyError('KP-SYS-516', { message: `${field}: ${names} is needed` })
}

import { KorProxyError } from '#errors/korproxy-error.ts'
import type { TargetModel } from '../format.ts'
import type {
  AssistantPart,
  DocumentPart,
  ImagePart,
  JsonObject,
  ToolResult,
  Turn,
  UserPart,
} from '../ir/chat-request.ts'
import type { DroppedParameters } from '../ir/dropped-parameters.ts'
import { jsonFields } from '../ir/json-fields.ts'
import { readDocumentText } from '../openai-chat/encode-content.ts'
import { areWhole, parseArguments } from './call-arguments.ts'

interface MessageContext {
  readonly target: TargetModel
  readonly dropped: DroppedParameters
  /** Names of the tools by the ids of their calls. */
  readonly calledNames: Map<string, string>
}

/** @throws KorProxyError KP-PROV-112 for media that Ollama cannot be given */
export function encodeTurn(turn: Turn, context: MessageContext): JsonObject[] {
  switch (turn.role) {
    case 'system':
      return [encodeSystem(turn.parts.map((part) => part.text).join('\n\n'), context.target)]
    case 'user':
      return [{ role: 'user', ...encodeParts(turn.parts, context) }]
    case 'assistant':
      return [encodeAssistant(turn.parts, context)]
    case 'tool':
      return turn.results.map((result) => encodeResult(result, context))
  }
}

function encodeSystem(content: string, target: TargetModel): JsonObject {
  if (target.quirks.midSystemAs !== 'user') return { role: 'system', content }
  return { role: 'user', content: `<system-reminder>\n${content}\n</system-reminder>` }
}

/** Content is one string; images stand beside it. */
function encodeParts(parts: readonly UserPart[], { target, dropped }: MessageContext): JsonObject {
  const texts: string[] = []
  const images: string[] = []
  for (const part of parts) {
    switch (part.type) {
      case 'text':
        texts.push(part.text)
        break
      case 'image':
        if (part.detail !== undefined && part.detail !== 'auto') dropped.add('image_url.detail')
        images.push(imageData(part, target))
        break
      case 'document':
        texts.push(documentText(part, target))
        break
      case 'audio':
        throw notForOllama('audio', 'Ollama takes no audio', target)
    }
  }
  return jsonFields({ content: texts.join('\n'), images: images.length > 0 ? images : undefined })
}

function imageData({ source }: ImagePart, target: TargetModel): string {
  if (source.kind === 'base64') return source.data
  throw notForOllama('image', 'Ollama takes images as base64 only, and the gateway fetches none', target)
}

function documentText(part: DocumentPart, target: TargetModel): string {
  const text = readDocumentText(part)
  if (text === undefined) throw notForOllama('document', 'Ollama takes no files but text', target)
  return part.title === undefined ? text : `${part.title}\n\n${text}`
}

function encodeAssistant(parts: readonly AssistantPart[], context: MessageContext): JsonObject {
  const { target, dropped, calledNames } = context
  const texts: string[] = []
  const thoughts: string[] = []
  const images: string[] = []
  const calls: JsonObject[] = []
  for (const part of parts) {
    switch (part.type) {
      case 'text':
      case 'refusal':
        texts.push(part.text)
        break
      case 'thinking':
        if (part.signature === undefined && target.capabilities.reasoning !== false) thoughts.push(part.text)
        else dropped.add('messages.thinking')
        break
      case 'redacted-thinking':
        dropped.add('messages.thinking')
        break
      case 'image':
        images.push(imageData(part, target))
        break
      case 'tool-call': {
        calledNames.set(part.id, part.name)
        if (!areWhole(part.arguments)) dropped.add('messages.tool_call.arguments')
        const called = { index: calls.length, name: part.name, arguments: parseArguments(part.arguments) }
        calls.push({ id: part.id, function: called })
        break
      }
    }
  }
  return jsonFields({
    role: 'assistant',
    content: texts.join('\n'),
    thinking: thoughts.length > 0 ? thoughts.join('\n\n') : undefined,
    images: images.length > 0 ? images : undefined,
    tool_calls: calls.length > 0 ? calls : undefined,
  })
}

function encodeResult(result: ToolResult, context: MessageContext): JsonObject {
  const { content, images } = encodeParts(result.parts, context)
  return jsonFields({
    role: 'tool',
    content: result.isError ? `Error: ${String(content)}` : content,
    images,
    tool_name: result.name ?? context.calledNames.get(result.callId),
    tool_call_id: result.callId,
  })
}

function notForOllama(parameter: string, reason: string, target: TargetModel): KorProxyError {
  return new KorProxyError('KP-PROV-112', { parameter, target: target.id, reason: `${reason}.` })
}

import { KorProxyError } from '#errors/korproxy-error.ts'
import { appendAll } from '../ir/append-all.ts'
import type { AssistantPart, TextPart, ToolResult, Turn, UserPart } from '../ir/chat-request.ts'
import { TurnList } from '../ir/turn-list.ts'
import { appendAssistantPart } from './append-assistant-part.ts'
import { type CallIds, callIds } from './call-ids.ts'
import { readMedia } from './read-media.ts'
import type { GeminiContent, GeminiPart } from './request-schema.ts'
import { readThoughtSignature } from './thought-signature.ts'

interface Conversation {
  readonly system: readonly TextPart[]
  readonly turns: readonly Turn[]
  readonly dropped: readonly string[]
}
interface DraftConversation {
  readonly system: TextPart[]
  readonly list: TurnList
  readonly ids: CallIds
}

/**
 * A conversation with its instructions. Neighbouring model contents are one turn (SDKs keep every chunk of a stream as a content of its
 * own).
 * @throws KorProxyError KP-SYS-516 for a part in the wrong role, KP-PROV-112 for a part that no other format has
 */
export function readContents(contents: readonly GeminiContent[], instruction: GeminiContent | undefined): Conversation {
  const draft: DraftConversation = { system: readSystemText(instruction), list: new TurnList(), ids: callIds(contents) }
  for (const [at, content] of contents.entries()) {
    if (content.role === 'model' || content.role === 'assistant') addModelContent(draft, content, at)
    else if (content.role === 'system') addSystemContent(draft, content)
    else addUserContent(draft, content, at)
  }
  const instructions = [instruction, ...contents.filter(({ role }) => role === 'system')]
  return { system: draft.system, turns: draft.list.turns, dropped: instructions.flatMap(systemLosses) }
}

/** The text of a `systemInstruction`; its role, where a client gives one, says nothing. */
function readSystemText(content: GeminiContent | undefined): TextPart[] {
  return (content?.parts ?? []).flatMap((part) => (part.text ? [{ type: 'text', text: part.text }] : []))
}

/** Elsewhere an instruction is text alone. */
function systemLosses(content: GeminiContent | undefined): string[] {
  const names = (content?.parts ?? []).flatMap((part) => Object.keys(part)).filter((name) => !ANNOTATIONS.has(name))
  return names.map((name) => `systemInstruction.${name}`)
}

function addSystemContent(draft: DraftConversation, content: GeminiContent): void {
  const parts = readSystemText(content)
  if (draft.list.isEmpty) appendAll(draft.system, parts)
  else draft.list.push({ role: 'system', parts })
}

function addModelContent(draft: DraftConversation, content: GeminiContent, at: number): void {
  const parts = draft.list.assistantParts()
  for (const [index, part] of (content.parts ?? []).entries()) {
    for (const read of readModelPart(draft.ids, part, { at, index })) appendAssistantPart(parts, read)
  }
}

interface PartPlace {
  readonly at: number
  readonly index: number
}

function readModelPart(ids: CallIds, part: GeminiPart, place: PartPlace): AssistantPart[] {
  const signature = readThoughtSignature(part.thoughtSignature ?? '', 'gemini')
  if (part.functionCall !== undefined) {
    const { name, args } = part.functionCall
    const call = {
      type: 'tool-call' as const,
      id: ids.ofCall(place.at, place.index),
      name,
      arguments: JSON.stringify(args ?? {}),
    }
    return [signature === undefined ? call : { ...call, signature }]
  }
  if (part.thought === true) {
    const thinking = { type: 'thinking' as const, text: part.text ?? '' }
    return [signature === undefined ? thinking : { ...thinking, signature }]
  }
  const spoken = readSpokenPart(part, place)
  // Gemini hangs the record of its thinking on the text after it: to others it is thinking that its issuer encrypted.
  return signature === undefined ? spoken : [...spoken, { type: 'redacted-thinking', data: signature }]
}

function readSpokenPart(part: GeminiPart, place: PartPlace): AssistantPart[] {
  if (part.text !== undefined) return part.text === '' ? [] : [{ type: 'text', text: part.text }]
  if (part.executableCode !== undefined) {
    const { language, code } = part.executableCode
    return [{ type: 'text', text: `\n\`\`\`${(language ?? '').toLowerCase()}\n${code}\n\`\`\`\n` }]
  }
  if (part.codeExecutionResult !== undefined) {
    return [{ type: 'text', text: `\n\`\`\`\n${part.codeExecutionResult.output ?? ''}\n\`\`\`\n` }]
  }
  const media = readMedia(part, partField(place))
  if (media?.type === 'image') return [media]
  if (media !== undefined || part.functionResponse !== undefined) throw misplaced(place, 'not possible in a model turn')
  refuseUnknown(part, place)
  return []
}

function addUserContent(draft: DraftConversation, content: GeminiContent, at: number): void {
  let hasResult = false
  const parts: UserPart[] = []
  for (const [index, part] of (content.parts ?? []).entries()) {
    if (part.functionResponse === undefined) appendAll(parts, readUserPart(part, { at, index }))
    else {
      draft.list.addResult(readFunctionResponse(draft.ids, part.functionResponse, { at, index }))
      hasResult = true
    }
  }
  if (parts.length > 0 || !hasResult) draft.list.push({ role: 'user', parts })
}

function readUserPart(part: GeminiPart, place: PartPlace): UserPart[] {
  if (part.functionCall !== undefined) throw misplaced(place, 'functionCall belongs into a turn of role model')
  if (part.text !== undefined) return [{ type: 'text', text: part.text }]
  const media = readMedia(part, partField(place))
  if (media !== undefined) return [media]
  refuseUnknown(part, place)
  return []
}

function readFunctionResponse(
  ids: CallIds,
  response: NonNullable<GeminiPart['functionResponse']>,
  place: PartPlace,
): ToolResult {
  const body = response.response ?? {}
  const media = (response.parts ?? []).flatMap((part) => {
    const read = readMedia(part, `${partField(place)}.functionResponse.parts`)
    if (read?.type === 'audio') throw misplaced(place, 'audio is not possible in a function response')
    return read === undefined ? [] : [read]
  })
  return {
    callId: ids.ofResponse(place.at, place.index),
    name: response.name,
    parts: [{ type: 'text', text: JSON.stringify(body) }, ...media],
    // https://ai.google.dev/api/caching#FunctionResponse: "output" and "error" are the keys with a meaning.
    isError: 'error' in body && !('output' in body),
  }
}

/** What a part may say besides its one datum. */
const ANNOTATIONS = new Set(['text', 'thought', 'thoughtSignature', 'videoMetadata', 'mediaResolution', 'partMetadata'])

function refuseUnknown(part: GeminiPart, place: PartPlace): void {
  const unknown = Object.keys(part).find((key) => !ANNOTATIONS.has(key))
  if (unknown === undefined) return
  throw new KorProxyError('KP-PROV-112', {
    parameter: `${partField(place)}.${unknown}`,
    target: 'other formats',
    reason: 'only Gemini itself has such a part',
  })
}

function misplaced(place: PartPlace, reason: string): KorProxyError {
  return new KorProxyError('KP-SYS-516', { message: `${partField(place)}: ${reason}` })
}

function partField(place: PartPlace): string {
  return `contents[${place.at}].parts[${place.index}]`
}

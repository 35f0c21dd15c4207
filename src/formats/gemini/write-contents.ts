import { appendAll } from '../ir/append-all.ts'
import type { AssistantPart, ChatRequest, JsonObject, Turn, UserPart } from '../ir/chat-request.ts'
import { parseJsonObject } from '../ir/parse-json-object.ts'
import { signatureFor } from '../ir/signature.ts'
import type { GeminiTarget } from './gemini-target.ts'
import { type PairedTurn, pairResults } from './pair-results.ts'
import { SKIP_VALIDATOR } from './thought-signature.ts'
import { writeFunctionResponses, writeOrphan } from './write-function-response.ts'
import { writeMedia } from './write-media.ts'

interface DraftContent {
  readonly role: 'user' | 'model'
  readonly parts: JsonObject[]
}

/** Stands where Gemini demands a user's words and there are none; a dot adds no meaning. */
const FILLER: JsonObject = { text: '.' }

/**
 * `contents`: user and model strictly take turns and the user begins, each function call is answered in the turn after it.
 * @throws KorProxyError KP-PROV-112 for media that Gemini cannot read
 */
export function writeContents(request: ChatRequest, target: GeminiTarget): JsonObject[] {
  const contents: DraftContent[] = []
  for (const turn of pairResults(request.turns)) {
    const parts = writeTurn(turn, target)
    appendParts(contents, turn.role === 'assistant' ? 'model' : 'user', parts)
  }
  if (contents[0]?.role !== 'user') contents.unshift({ role: 'user', parts: [FILLER] })
  if (contents.at(-1)?.role === 'model' && target.model.capabilities.prefill === false) {
    contents.push({ role: 'user', parts: [{ text: 'Continue.' }] })
  }
  return contents.map(({ role, parts }) => ({ role, parts }))
}

function appendParts(contents: DraftContent[], role: DraftContent['role'], parts: readonly JsonObject[]): void {
  const last = contents.at(-1)
  if (last?.role !== role) {
    if (parts.length > 0) contents.push({ role, parts: [...parts] })
  } else if (parts.length > 0 && parts[0] !== FILLER) {
    if (last.parts[0] === FILLER) last.parts.shift()
    appendAll(last.parts, parts)
  }
}

/** Names of the tools that the history speaks of. */
export function historyToolNames(turns: readonly Turn[]): string[] {
  return turns.flatMap((turn) => {
    if (turn.role === 'tool') return turn.results.flatMap((result) => result.name ?? [])
    return turn.role === 'assistant' ? turn.parts.flatMap((part) => (part.type === 'tool-call' ? part.name : [])) : []
  })
}

function writeTurn(turn: PairedTurn, target: GeminiTarget): JsonObject[] {
  switch (turn.role) {
    case 'system':
      // Gemini has no system turn; the tag keeps the instruction apart from the user's own words.
      return turn.parts.filter(({ text }) => text !== '').map(({ text }) => ({ text: `<system>\n${text}\n</system>` }))
    case 'user': {
      const parts = turn.parts.flatMap(writeUserPart)
      return parts.length > 0 ? parts : [FILLER]
    }
    case 'results':
      return writeFunctionResponses(turn.pairs, target)
    case 'orphan':
      target.dropped.add('messages.tool_result.without_call')
      return writeOrphan(turn.result)
    case 'assistant':
      return writeModelParts(turn.parts, target)
  }
}

function writeUserPart(part: UserPart): JsonObject[] {
  if (part.type === 'text') return part.text === '' ? [] : [{ text: part.text }]
  return [writeMedia(part)]
}

function writeModelParts(parts: readonly AssistantPart[], target: GeminiTarget): JsonObject[] {
  const written: JsonObject[] = []
  let calls = 0
  for (const part of parts) {
    const signature = part.type === 'redacted-thinking' ? signatureFor(target.model.issuer, part.data) : undefined
    if (signature !== undefined) signLast(written, signature)
    else if (part.type === 'tool-call') {
      written.push(writeFunctionCall(part, target, calls))
      calls += 1
    } else written.push(...writeModelPart(part, target))
  }
  return written
}

function writeModelPart(part: Exclude<AssistantPart, { type: 'tool-call' }>, target: GeminiTarget): JsonObject[] {
  switch (part.type) {
    case 'text':
    case 'refusal':
      return part.text === '' ? [] : [{ text: part.text }]
    case 'thinking': {
      // Thoughts that this provider has not signed are refused or ignored by it.
      const thoughtSignature = signatureFor(target.model.issuer, part.signature)
      if (thoughtSignature !== undefined) return [{ text: part.text, thought: true, thoughtSignature }]
      target.dropped.add('messages.thinking')
      return []
    }
    case 'redacted-thinking':
      target.dropped.add('messages.redacted_thinking')
      return []
    case 'image':
      return [writeMedia(part)]
  }
}

/** The signature belongs to the text before it; a stream that ended with a signature alone has a part of its own for it. */
function signLast(written: JsonObject[], thoughtSignature: string): void {
  const last = written.at(-1)
  const open = last !== undefined && 'text' in last && !('thoughtSignature' in last) && !('thought' in last)
  if (open) written.splice(-1, 1, { ...last, thoughtSignature })
  else written.push({ text: '', thoughtSignature })
}

/** Gemini 3 refuses a turn whose first function call has no signature. @see https://ai.google.dev/gemini-api/docs/thought-signatures */
function writeFunctionCall(
  part: Extract<AssistantPart, { type: 'tool-call' }>,
  target: GeminiTarget,
  callsBefore: number,
): JsonObject {
  const own = signatureFor(target.model.issuer, part.signature)
  const mandatory = target.model.capabilities.thinkingLevel === true && callsBefore === 0
  const thoughtSignature = own ?? (mandatory ? SKIP_VALIDATOR : undefined)
  const args = parseJsonObject(part.arguments)
  if (args === undefined && part.arguments !== '') target.dropped.add('messages.tool_call.arguments')
  return {
    functionCall: {
      ...(part.id === '' ? {} : { id: part.id }),
      name: target.toolNames.encode(part.name),
      args: args ?? {},
    },
    ...(thoughtSignature === undefined ? {} : { thoughtSignature }),
  }
}

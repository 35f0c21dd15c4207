import type { JsonObject, ToolCallPart, ToolResult } from '../ir/chat-request.ts'
import { parseJsonObject } from '../ir/parse-json-object.ts'
import { type GeminiTarget, isThirdGeneration } from './gemini-target.ts'
import { writeMedia } from './write-media.ts'

interface Pair {
  readonly call: ToolCallPart
  readonly result: ToolResult | undefined
}

/**
 * The answers to the calls of one turn, nothing between them. Before Gemini 3 media cannot stand within an answer and follow them all.
 * @see https://ai.google.dev/api/caching#FunctionResponse
 */
export function writeFunctionResponses(pairs: readonly Pair[], target: GeminiTarget): JsonObject[] {
  const nested = isThirdGeneration(target.model)
  if (pairs.some(({ result }) => result === undefined)) target.dropped.add('messages.tool_call.without_result')
  const answers = pairs.map(({ call, result }) => {
    const media = result === undefined ? [] : writeResultMedia(result)
    const answer = {
      ...(call.id === '' ? {} : { id: call.id }),
      name: target.toolNames.encode(call.name),
      response: writeResponse(result),
    }
    return nested && media.length > 0 ? { answer: { ...answer, parts: media }, media: [] } : { answer, media }
  })
  return [
    ...answers.map(({ answer }) => ({ functionResponse: answer })),
    ...answers.flatMap(({ media }): JsonObject[] => media),
  ]
}

/** A result whose call is not in the history any more, as words of the user. */
export function writeOrphan(result: ToolResult): JsonObject[] {
  const name = result.name ?? result.callId
  return [{ text: `Result of the tool call ${name}:\n${textOfResult(result)}` }, ...writeResultMedia(result)]
}

function writeResponse(result: ToolResult | undefined): JsonObject {
  if (result === undefined) return { error: 'The call was not answered.' }
  const text = textOfResult(result)
  const body = parseJsonObject(text)
  if (result.isError) return body !== undefined && 'error' in body ? body : { error: text }
  return body ?? { result: text }
}

function textOfResult(result: ToolResult): string {
  return result.parts
    .flatMap((part) => {
      if (part.type === 'text') return part.text
      return part.type === 'document' && part.source.kind === 'text' ? part.source.text : []
    })
    .join('\n')
}

function writeResultMedia(result: ToolResult): JsonObject[] {
  return result.parts.flatMap((part) => {
    if (part.type === 'text' || part.source.kind === 'text') return []
    return [writeMedia(part)]
  })
}

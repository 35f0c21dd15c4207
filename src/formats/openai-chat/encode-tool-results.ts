import { appendAll } from '../ir/append-all.ts'
import type { JsonObject, ToolResult, UserPart } from '../ir/chat-request.ts'
import { encodeUserContent, readDocumentText } from './encode-content.ts'
import type { EncodingContext } from './encoding-context.ts'

/** One message a call, in the calls' order, then one user message with what a tool message cannot hold. */
export function encodeToolResults(
  results: readonly ToolResult[],
  callIds: readonly string[],
  context: EncodingContext,
): readonly JsonObject[] {
  // A result that stands twice counts once: the last.
  const byCall = new Map(results.map((result) => [result.callId, result]))
  const messages: JsonObject[] = []
  const attachments: UserPart[] = []
  const called = new Set(callIds)
  for (const callId of callIds) {
    const result = byCall.get(callId)
    if (result === undefined) context.dropped.add('messages.tool_call.without_result')
    const content = result === undefined ? 'Error: no result' : resultText(result)
    messages.push({ role: 'tool', tool_call_id: callId, content })
    if (result !== undefined) appendAll(attachments, attachmentsOf(result))
  }
  for (const [callId, result] of byCall) {
    if (called.has(callId)) continue
    context.dropped.add('messages.tool_result.without_call')
    attachments.push({ type: 'text', text: resultText(result) })
    appendAll(attachments, attachmentsOf(result))
  }
  if (attachments.length > 0) messages.push({ role: 'user', content: encodeUserContent(attachments, context) })
  return messages
}

function resultText(result: ToolResult): string {
  const texts = result.parts.flatMap((part) => {
    if (part.type === 'text') return [part.text]
    return part.type === 'document' ? (readDocumentText(part) ?? []) : []
  })
  return `${result.isError ? 'Error: ' : ''}${texts.join('\n')}`
}

function attachmentsOf(result: ToolResult): readonly UserPart[] {
  return result.parts.filter(
    (part) => part.type === 'image' || (part.type === 'document' && readDocumentText(part) === undefined),
  )
}

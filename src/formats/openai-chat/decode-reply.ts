import { KorProxyError } from '#errors/korproxy-error.ts'
import type { ReplyContext } from '../format.ts'
import type { ChatEvent } from '../ir/chat-event.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import { ChunkDecoder } from './chunk-decoder.ts'
import { readError } from './read-error.ts'
import { readObjects } from './read-fields.ts'

/** Reads a `chat.completion`. An error with status 200 becomes an error event. @throws KorProxyError KP-PROV-109 */
export function decodeReply(body: JsonObject, context: ReplyContext): ChatEvent[] {
  const { error } = body
  if (error !== undefined && error !== null) return [readError(error)]
  const choices = readObjects(body['choices'])
  if (choices.length === 0) throw new KorProxyError('KP-PROV-109', { reason: 'it has no choices' })
  return new ChunkDecoder(context).push({ ...body, choices: choices.map(completeChoice) })
}

/** In a whole reply every entry of `tool_calls` is a call of its own, and a missing `finish_reason` means that nothing cut it short. */
function completeChoice(choice: JsonObject, at: number): JsonObject {
  const message = choice['message']
  const base = { index: at, ...choice, finish_reason: choice['finish_reason'] || 'stop' }
  if (typeof message !== 'object' || message === null || !('tool_calls' in message)) return base
  const calls = readObjects(message['tool_calls']).map((call, index) => ({ ...call, index }))
  return { ...base, message: { ...message, tool_calls: calls } }
}

import { KorProxyError } from '#errors/korproxy-error.ts'
import type { ReplyContext } from '../format.ts'
import type { ChatEvent } from '../ir/chat-event.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import { isJsonObject } from '../ir/json-fields.ts'
import { readError } from './read-output-item.ts'
import { ResponsesStreamDecoder } from './stream-decoder.ts'

/** @throws KorProxyError KP-PROV-109 when the body is no response */
export function decodeResponsesReply(body: JsonObject, context: ReplyContext): ChatEvent[] {
  const error = body['error']
  if (isJsonObject(error)) return [readError(error)]
  if (!Array.isArray(body['output'])) {
    throw new KorProxyError('KP-PROV-109', { reason: 'output: Invalid input: expected array' })
  }
  return new ResponsesStreamDecoder(context).pushResponse(body)
}

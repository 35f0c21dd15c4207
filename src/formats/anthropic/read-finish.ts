import type { FinishEvent } from '../ir/chat-event.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import { isJsonObject } from '../ir/json-fields.ts'
import type { BlockReader } from './block-reader.ts'
import { decodeStopReason } from './map-stop-reason.ts'

/** Reads `stop_reason` and what belongs to it, of a whole message or of a `message_delta`; undefined while there is none. */
export function readFinish(from: JsonObject, blocks: BlockReader): FinishEvent | undefined {
  const { stop_reason: reason, stop_sequence: sequence, stop_details: details } = from
  if (typeof reason !== 'string') return undefined
  const decoded = decodeStopReason(reason)
  const explanation = isJsonObject(details) ? details['explanation'] : undefined
  return {
    type: 'finish',
    choice: 0,
    reason: decoded === 'tool-calls' && blocks.onlyJson ? 'stop' : decoded,
    ...(typeof sequence === 'string' && { stopSequence: sequence }),
    ...(typeof explanation === 'string' && { explanation }),
  }
}

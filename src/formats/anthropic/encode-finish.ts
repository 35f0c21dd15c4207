import type { FinishEvent } from '../ir/chat-event.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import { encodeStopReason } from './map-stop-reason.ts'

/** What the reply held; some servers say "stop" whatever came before. */
export interface ReplyContent {
  readonly hasToolCalls: boolean
  readonly hasRefusal: boolean
}

/** `stop_reason` with what belongs to it. @see https://platform.claude.com/docs/en/api/handling-stop-reasons */
export function encodeFinish(finish: FinishEvent | undefined, content: ReplyContent): JsonObject {
  const stopReason = finish === undefined ? null : stopReasonOf(finish, content)
  return {
    stop_reason: stopReason,
    stop_sequence: finish?.stopSequence ?? null,
    ...(stopReason === 'refusal' && {
      stop_details: { type: 'refusal', category: null, explanation: finish?.explanation ?? null },
    }),
  }
}

function stopReasonOf(finish: FinishEvent, content: ReplyContent): string {
  if (finish.reason !== 'stop') return encodeStopReason(finish.reason)
  if (content.hasToolCalls) return 'tool_use'
  return content.hasRefusal ? 'refusal' : 'end_turn'
}

import { KorProxyError } from '#errors/korproxy-error.ts'
import type { ChatEvent } from '../ir/chat-event.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import { findUsage } from './chunk-decoder.ts'
import { readFailedFinish, readFinishReason } from './map-finish-reason.ts'
import { readError } from './read-error.ts'
import { readCount, readObjects, readText } from './read-fields.ts'
import { readUsage } from './read-usage.ts'

/** Of a reply whose bytes pass: who answered, how it ended and what it cost. @throws KorProxyError KP-PROV-109 */
export function inspectReply(body: JsonObject): ChatEvent[] {
  const { error } = body
  if (error !== undefined && error !== null) return [readError(error)]
  const choices = readObjects(body['choices'])
  if (choices.length === 0) throw new KorProxyError('KP-PROV-109', { reason: 'it has no choices' })
  const events: ChatEvent[] = [
    {
      type: 'start',
      id: undefined,
      model: readText(body['model']) || undefined,
      createdAt: readCount(body['created']) || undefined,
    },
  ]
  for (const [choice, { finish_reason }] of choices.entries()) {
    const word = readText(finish_reason)
    events.push(readFailedFinish(word) ?? { type: 'finish', choice, reason: readFinishReason(word, false) })
  }
  const usage = findUsage(body, choices)
  if (usage !== undefined) events.push({ type: 'usage', usage: readUsage(usage, body['service_tier']) })
  return events
}

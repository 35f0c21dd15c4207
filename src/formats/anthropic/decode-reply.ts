import { z } from 'zod'
import type { ReplyContext } from '../format.ts'
import type { ChatEvent } from '../ir/chat-event.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import { jsonObject } from '../ir/json-fields.ts'
import { parseReplyBody } from '../ir/parse-with.ts'
import { BlockReader } from './block-reader.ts'
import { readErrorEvent } from './read-error.ts'
import { readFinish } from './read-finish.ts'
import { UsageReader } from './usage.ts'

const replySchema = z.looseObject({
  id: z.string().nullish(),
  type: z.literal('message').nullish(),
  model: z.string().nullish(),
  content: z.array(jsonObject),
  stop_reason: z.string(),
})

/** @throws KorProxyError KP-PROV-109 when the body is no message; an error body with status 200 becomes an error event */
export function decodeMessage(body: JsonObject, context: ReplyContext): ChatEvent[] {
  if (body['type'] === 'error') return [readErrorEvent(body)]
  const reply = parseReplyBody(replySchema, body)
  const blocks = new BlockReader(context)
  const events: ChatEvent[] = [
    { type: 'start', id: reply.id ?? undefined, model: reply.model ?? undefined, createdAt: undefined },
  ]
  for (const [index, block] of reply.content.entries()) {
    events.push(...blocks.start(index, block), ...blocks.stop(index))
  }
  events.push(...blocks.flush())
  const usage = new UsageReader().read(body['usage'])
  if (usage !== undefined) events.push({ type: 'usage', usage })
  const finish = readFinish(body, blocks)
  if (finish !== undefined) events.push(finish)
  return events
}

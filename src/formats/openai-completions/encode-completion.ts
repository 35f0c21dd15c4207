import type { ClientContext } from '../format.ts'
import type { ChatReply, ReplyChoice } from '../ir/chat-event.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import { jsonFields } from '../ir/json-fields.ts'
import { writeUsage } from '../openai-chat/write-usage.ts'
import { completionHead } from './completion-head.ts'
import { writeCompletionFinish } from './write-completion-finish.ts'

/** Writes a `text_completion`: its text; thinking, images and the like have no form in it. */
export function encodeCompletion(reply: ChatReply, context: ClientContext): JsonObject {
  return jsonFields({
    ...completionHead(reply, context),
    choices: reply.choices.map(encodeChoice),
    usage: reply.usage === undefined ? undefined : writeUsage(reply.usage, context),
  })
}

function encodeChoice({ index, parts, finish }: ReplyChoice): JsonObject {
  return {
    text: parts.map((part) => (part.type === 'text' || part.type === 'refusal' ? part.text : '')).join(''),
    index,
    logprobs: null,
    finish_reason: finish === undefined ? null : writeCompletionFinish(finish.reason),
  }
}

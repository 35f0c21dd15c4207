import type { ClientContext } from '../format.ts'
import type { ChatReply, ReplyChoice, ReplyPart } from '../ir/chat-event.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import { hasWholeArguments } from '../ir/has-whole-arguments.ts'
import {
  callItem,
  type ItemStatus,
  imageItem,
  messageItem,
  outputTextPart,
  reasoningItem,
  refusalPart,
  sealedCallSignature,
  urlCitation,
} from './reply-items.ts'
import { finishState, requestEcho, responseHead, responseObject } from './response-object.ts'
import { clientToolNames, type WireToolNames } from './tool-naming.ts'

/** Responses have one choice: further ones, which no client of this format can ask for, are not shown. */
export function encodeResponsesReply(reply: ChatReply, context: ClientContext): JsonObject {
  const idPart = context.newId()
  const [choice] = reply.choices
  const finish = finishState(choice?.finish?.reason ?? 'stop')
  const status: ItemStatus = finish.status === 'completed' ? 'completed' : 'incomplete'
  const output =
    choice === undefined ? [] : encodeOutput(choice, idPart, status, clientToolNames(context.request.tools))
  return responseObject(
    responseHead(context, idPart, reply),
    { ...finish, output, usage: reply.usage, error: null },
    requestEcho(context.request),
  )
}

/** The last item bears the status of the whole: it is the one that was cut. So does a call that was, whatever the provider said after it. */
function encodeOutput(choice: ReplyChoice, idPart: string, status: ItemStatus, names: WireToolNames): JsonObject[] {
  const groups = groupParts(withExplanation(choice).flatMap(signedCall))
  return groups.map((group, at) => {
    const itemStatus = at === groups.length - 1 || isPartialCall(group) ? status : 'completed'
    return encodeItem(group, { id: `${idPart}_${at}`, status: itemStatus, names, logprobs: choice.logprobs })
  })
}

function isPartialCall([part]: readonly ReplyPart[]): boolean {
  return part?.type === 'tool-call' && !hasWholeArguments(part.arguments)
}

/** A signed call has an item of its own for the signature, right before it. */
function signedCall(part: ReplyPart): ReplyPart[] {
  if (part.type !== 'tool-call' || part.signature === undefined) return [part]
  return [{ type: 'redacted-thinking', data: sealedCallSignature(part.signature) }, part]
}

/** Why a reply was filtered is told as a refusal, where the model said nothing of it itself. */
function withExplanation({ parts, finish }: ReplyChoice): readonly ReplyPart[] {
  const explanation = finish?.reason === 'content-filter' ? finish.explanation : undefined
  if (explanation === undefined || parts.some((part) => part.type === 'refusal')) return parts
  return [...parts, { type: 'refusal', text: explanation }]
}

/** Text and refusals that follow one another are one message; sealed reasoning of OpenAI belongs to the summary before it. */
function groupParts(parts: readonly ReplyPart[]): ReplyPart[][] {
  const groups: ReplyPart[][] = []
  for (const part of parts) {
    const last = groups.at(-1)
    const before = last?.at(-1)
    const joins =
      (isSaid(part) && before !== undefined && isSaid(before)) ||
      (part.type === 'redacted-thinking' && part.data.issuer === 'openai' && isUnsigned(before))
    if (joins && last !== undefined) last.push(part)
    else groups.push([part])
  }
  return groups
}

function isSaid(part: ReplyPart): boolean {
  return part.type === 'text' || part.type === 'refusal'
}

function isUnsigned(part: ReplyPart | undefined): boolean {
  return part?.type === 'thinking' && part.signature === undefined
}

interface ItemContext {
  readonly id: string
  readonly status: ItemStatus
  readonly names: WireToolNames
  readonly logprobs: JsonObject | undefined
}

function encodeItem(group: readonly ReplyPart[], { id, status, names, logprobs }: ItemContext): JsonObject {
  const [first, second] = group
  switch (first?.type) {
    case 'thinking': {
      const sealed = second?.type === 'redacted-thinking' ? second.data : first.signature
      return reasoningItem(`rs_${id}`, status, first.text, sealed)
    }
    case 'redacted-thinking':
      return reasoningItem(`rs_${id}`, status, undefined, first.data)
    case 'tool-call': {
      const wireName = names.of(first.name)
      const prefix = wireName.custom ? 'ctc' : 'fc'
      return callItem(`${prefix}_${id}`, status, first.id, { wireName, arguments: first.arguments })
    }
    case 'image':
      return imageItem(`ig_${id}`, status, first.data)
    case 'text':
    case 'refusal':
    case undefined:
      return messageItem(
        `msg_${id}`,
        status,
        group.flatMap((part) => encodeSaid(part, logprobs)),
      )
  }
}

function encodeSaid(part: ReplyPart, logprobs: JsonObject | undefined): JsonObject[] {
  if (part.type === 'refusal') return [refusalPart(part.text)]
  if (part.type !== 'text') return []
  const citations = part.citations.map((citation) => urlCitation(citation, part.text))
  return [
    outputTextPart(
      part.text,
      citations.filter((citation) => citation !== undefined),
      logprobs,
    ),
  ]
}

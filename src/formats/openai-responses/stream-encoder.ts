import type { ClientContext, ClientError, StreamEncoder } from '../format.ts'
import type { ChatEvent, FinishEvent, StartEvent, ToolCallStart, Usage } from '../ir/chat-event.ts'
import type { JsonObject, Signature } from '../ir/chat-request.ts'
import { isJsonObject } from '../ir/json-fields.ts'
import { CallDraft } from './call-draft.ts'
import { encodeFailure } from './encode-failure.ts'
import { EventWriter } from './event-writer.ts'
import { MessageDraft } from './message-draft.ts'
import { ReasoningDraft } from './reasoning-draft.ts'
import { type ItemStatus, imageItem, sealedCallSignature } from './reply-items.ts'
import {
  finishState,
  IN_PROGRESS,
  type ResponseHead,
  type ResponseState,
  requestEcho,
  responseHead,
  responseObject,
} from './response-object.ts'
import { clientToolNames, type WireToolNames } from './tool-naming.ts'

type ChoiceEvent = Exclude<ChatEvent, { type: 'start' | 'usage' | 'error' }>
type Draft<T> = { readonly draft: T; readonly outputIndex: number }

/**
 * Writes a Responses stream. Each item has its own `output_index` and keeps its id; the terminal event repeats the whole output.
 * @see https://platform.openai.com/docs/api-reference/responses-streaming
 */
export class ResponsesStreamEncoder implements StreamEncoder {
  readonly #context: ClientContext
  readonly #names: WireToolNames
  readonly #echo: JsonObject
  readonly #idPart: string
  readonly #writer = new EventWriter()
  readonly #calls = new Map<number, CallDraft>()
  /** Finished items by `output_index`. */
  readonly #output = new Map<number, JsonObject>()
  #nextIndex = 0
  #head: ResponseHead
  #message: Draft<MessageDraft> | undefined
  #reasoning: Draft<ReasoningDraft> | undefined
  #refused = false
  #usage: Usage | undefined
  #finish: FinishEvent | undefined

  constructor(context: ClientContext) {
    this.#context = context
    this.#names = clientToolNames(context.request.tools)
    this.#echo = requestEcho(context.request)
    this.#idPart = context.newId()
    this.#head = responseHead(context, this.#idPart, {})
  }

  /** Error events are for the caller, who ends the stream with `fail`. */
  push(event: ChatEvent): string {
    switch (event.type) {
      case 'start':
        return this.#begin(event)
      case 'usage':
        this.#usage = { ...this.#usage, ...event.usage }
        return ''
      case 'error':
        return ''
      default:
        return event.choice === 0 ? this.#begin() + this.#pushChoice(event) : ''
    }
  }

  end(): string {
    const finish = this.#finish
    if (finish === undefined) {
      const error = { code: 'server_error', message: 'The answer ended without its finish reason.' }
      return this.#begin() + this.#close('failed', { error, incompleteReason: undefined })
    }
    const { status, incompleteReason } = finishState(finish.reason)
    return this.#close(status, { error: null, incompleteReason })
  }

  fail(error: ClientError): string {
    return this.#begin() + this.#close('failed', { error: encodeFailure(error), incompleteReason: undefined })
  }

  #begin(start?: StartEvent): string {
    if (this.#writer.started) return ''
    if (start !== undefined) this.#head = responseHead(this.#context, this.#idPart, start)
    const response = responseObject(this.#head, IN_PROGRESS, this.#echo)
    return (
      this.#writer.write('response.created', { response }) + this.#writer.write('response.in_progress', { response })
    )
  }

  #pushChoice(event: ChoiceEvent): string {
    switch (event.type) {
      case 'text-delta':
        if (this.#message !== undefined) return this.#message.draft.addText(event.text)
        return this.#write((message) => message.addText(event.text))
      case 'tool-call-delta':
        return this.#calls.get(event.index)?.addArguments(event.arguments) ?? ''
      case 'thinking-delta':
        return this.#think((reasoning) => reasoning.addText(event.text))
      case 'thinking-signature':
        return this.#think((reasoning) => reasoning.openSummary()) + this.#closeReasoning('completed', event.signature)
      case 'redacted-thinking':
        return this.#addSealed(event.data)
      case 'refusal-delta':
        this.#refused = true
        return this.#write((message) => message.addRefusal(event.text))
      case 'citation':
        return this.#write((message) => message.addCitation(event))
      case 'logprobs':
        this.#message?.draft.addLogprobs(tokensOf(event.logprobs))
        return ''
      case 'tool-call-start':
        return this.#startCall(event)
      case 'tool-call-end':
        return this.#endCall(event.index)
      case 'image':
        return this.#addImage(event.data)
      case 'finish':
        return this.#finishItems(event)
    }
  }

  #write(add: (message: MessageDraft) => string): string {
    if (this.#message !== undefined) return add(this.#message.draft)
    const closed = this.#closeReasoning('completed', undefined)
    const outputIndex = this.#takeIndex()
    const draft = new MessageDraft(this.#writer, `msg_${this.#idPart}_${outputIndex}`, outputIndex)
    this.#message = { draft, outputIndex }
    return closed + draft.open() + add(draft)
  }

  #think(add: (reasoning: ReasoningDraft) => string): string {
    if (this.#reasoning !== undefined) return add(this.#reasoning.draft)
    const closed = this.#closeMessage('completed')
    const outputIndex = this.#takeIndex()
    const draft = new ReasoningDraft(this.#writer, `rs_${this.#idPart}_${outputIndex}`, outputIndex)
    this.#reasoning = { draft, outputIndex }
    return closed + draft.open() + add(draft)
  }

  /** OpenAI's own blob belongs to the summary before it; any other is an item of its own. */
  #addSealed(sealed: Signature): string {
    const apart = sealed.issuer === 'openai' ? '' : this.#closeReasoning('completed', undefined)
    return apart + this.#think(() => '') + this.#closeReasoning('completed', sealed)
  }

  #addImage(data: string): string {
    const closed = this.#closeText('completed')
    const outputIndex = this.#takeIndex()
    const id = `ig_${this.#idPart}_${outputIndex}`
    const item = imageItem(id, 'completed', data)
    this.#output.set(outputIndex, item)
    const added = { output_index: outputIndex, item: imageItem(id, 'in_progress', null) }
    return (
      closed +
      this.#writer.write('response.output_item.added', added) +
      this.#writer.write('response.output_item.done', { output_index: outputIndex, item })
    )
  }

  #startCall(event: ToolCallStart): string {
    const closed = this.#closeText('completed') + this.#signCall(event.signature)
    const wireName = this.#names.of(event.name)
    const outputIndex = this.#takeIndex()
    const id = `${wireName.custom ? 'ctc' : 'fc'}_${this.#idPart}_${outputIndex}`
    const draft = new CallDraft(this.#writer, { id, outputIndex, callId: event.id, wireName })
    this.#calls.set(event.index, draft)
    return closed + draft.open()
  }

  /** Agents act on a call that is done: one whose arguments are not whole waits for the finish, which tells whether it was cut off. */
  #endCall(index: number): string {
    return this.#calls.get(index)?.isWhole === true ? this.#closeCall(index, 'completed') : ''
  }

  #signCall(signature: Signature | undefined): string {
    return signature === undefined ? '' : this.#addSealed(sealedCallSignature(signature))
  }

  #finishItems(event: FinishEvent): string {
    this.#finish = event
    const status = finishState(event.reason).status === 'completed' ? 'completed' : 'incomplete'
    const explanation = event.reason === 'content-filter' && !this.#refused ? event.explanation : undefined
    const refusal = explanation === undefined ? '' : this.#write((message) => message.addRefusal(explanation))
    const calls = [...this.#calls.keys()].map((index) => this.#closeCall(index, status))
    return refusal + this.#closeText(status) + calls.join('')
  }

  #closeText(status: ItemStatus): string {
    return this.#closeReasoning(status, undefined) + this.#closeMessage(status)
  }

  #closeMessage(status: ItemStatus): string {
    const open = this.#message
    if (open === undefined) return ''
    this.#message = undefined
    const { text, item } = open.draft.close(status)
    this.#output.set(open.outputIndex, item)
    return text
  }

  #closeReasoning(status: ItemStatus, sealed: Signature | undefined): string {
    const open = this.#reasoning
    if (open === undefined) return ''
    this.#reasoning = undefined
    const { text, item } = open.draft.close(status, sealed)
    this.#output.set(open.outputIndex, item)
    return text
  }

  #closeCall(index: number, status: ItemStatus): string {
    const draft = this.#calls.get(index)
    if (draft === undefined) return ''
    this.#calls.delete(index)
    const { text, item } = draft.close(status)
    this.#output.set(draft.outputIndex, item)
    return text
  }

  #close(status: ResponseState['status'], outcome: Pick<ResponseState, 'error' | 'incompleteReason'>): string {
    const output = [...this.#output].sort(([a], [b]) => a - b).map(([, item]) => item)
    const state = { status, output, usage: this.#usage, ...outcome }
    return this.#writer.write(`response.${status}`, { response: responseObject(this.#head, state, this.#echo) })
  }

  #takeIndex(): number {
    const index = this.#nextIndex
    this.#nextIndex += 1
    return index
  }
}

function tokensOf(logprobs: JsonObject): JsonObject[] {
  const tokens = logprobs['content']
  return Array.isArray(tokens) ? tokens.filter(isJsonObject) : []
}

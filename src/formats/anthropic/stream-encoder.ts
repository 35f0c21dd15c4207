import { encodeAnthropicError } from '../anthropic-shapes/encode-error.ts'
import type { ClientContext, ClientError, StreamEncoder } from '../format.ts'
import { writeCallSignature } from '../ir/call-signature.ts'
import type { ChatEvent, Citation, FinishEvent, StartEvent, ToolCallStart, Usage } from '../ir/chat-event.ts'
import type { JsonObject, JsonValue } from '../ir/chat-request.ts'
import { BlockQueue, type QueuedBlock } from './block-queue.ts'
import { writeBlockSignature } from './block-signature.ts'
import { encodeCitation, imageNotice } from './encode-citation.ts'
import { encodeFinish } from './encode-finish.ts'
import { outputEstimate } from './encode-reply.ts'
import { messageId, ToolIds } from './reply-identity.ts'
import { encodeMessageUsage } from './usage.ts'

/** Writes a reply as the events of https://platform.claude.com/docs/en/build-with-claude/streaming. */
export class AnthropicStreamEncoder implements StreamEncoder {
  readonly #context: ClientContext
  readonly #queue = new BlockQueue(writeEvent)
  readonly #calls = new Map<number, QueuedBlock>()
  readonly #ids: ToolIds
  #started = false
  #hasRefusal = false
  #characters = 0
  #usage: Usage = {}
  #finish: FinishEvent | undefined

  constructor(context: ClientContext) {
    this.#context = context
    this.#ids = new ToolIds(context)
  }

  push(event: ChatEvent): string {
    if (event.type === 'usage') {
      this.#usage = { ...this.#usage, ...event.usage }
      return ''
    }
    if (event.type === 'start') return this.#messageStart(event)
    // Errors come through `fail`; a message has one choice and no log probabilities.
    if (event.type === 'error' || event.type === 'logprobs' || event.choice !== 0) return ''
    this.#accept(event)
    return this.#messageStart(undefined) + this.#queue.drain()
  }

  end(): string {
    this.#queue.completeAll()
    const finish = encodeFinish(this.#finish, { hasToolCalls: this.#calls.size > 0, hasRefusal: this.#hasRefusal })
    const usage = encodeMessageUsage(this.#usage, {
      input: this.#context.estimatedInputTokens,
      output: outputEstimate(this.#characters),
    })
    return [
      this.#messageStart(undefined),
      this.#queue.drain(),
      writeEvent({ type: 'message_delta', delta: finish, usage }),
      writeEvent({ type: 'message_stop' }),
    ].join('')
  }

  fail(error: ClientError): string {
    return writeEvent(encodeAnthropicError(error).body)
  }

  #accept(event: Exclude<ChatEvent, { type: 'start' | 'usage' | 'error' | 'logprobs' }>): void {
    switch (event.type) {
      case 'text-delta':
        this.#addText(event.text)
        return
      case 'refusal-delta':
        this.#hasRefusal = true
        this.#addText(event.text)
        return
      case 'image':
        this.#addText(imageNotice(event.mediaType))
        return
      case 'thinking-delta':
        this.#addThinking(event.text)
        return
      case 'thinking-signature':
        this.#sign(writeBlockSignature(event.signature))
        return
      case 'redacted-thinking':
        this.#completeTail()
        this.#queue.add('whole', { type: 'redacted_thinking', data: writeBlockSignature(event.data) })
        return
      case 'citation':
        this.#cite(event)
        return
      case 'tool-call-start':
        this.#startCall(event)
        return
      case 'tool-call-delta':
        this.#addArguments(event.index, event.arguments)
        return
      case 'tool-call-end':
        this.#endCall(event.index)
        return
      case 'finish':
        this.#finish = event
        this.#queue.completeAll()
        return
    }
  }

  /** Real usage comes last, so the prompt is announced as an estimate: clients show how full the context is from it. */
  #messageStart(start: StartEvent | undefined): string {
    if (this.#started) return ''
    this.#started = true
    const usage: Usage = { ...this.#usage, output: 0 }
    return writeEvent({
      type: 'message_start',
      message: {
        id: messageId(start?.id, this.#context),
        type: 'message',
        role: 'assistant',
        model: start?.model ?? this.#context.request.model,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: encodeMessageUsage(usage, { input: this.#context.estimatedInputTokens, output: 0 }),
      },
    })
  }

  #addText(text: string): void {
    if (text === '') return
    this.#characters += text.length
    this.#openTail('text', { type: 'text', text: '' }).pending.push({ type: 'text_delta', text })
  }

  #addThinking(thinking: string): void {
    if (thinking === '') return
    this.#characters += thinking.length
    this.#openThinking().pending.push({ type: 'thinking_delta', thinking })
  }

  /** A signature closes its block. */
  #sign(signature: string): void {
    const block = this.#openThinking()
    block.pending.push({ type: 'signature_delta', signature })
    block.complete = true
  }

  #cite(event: Citation): void {
    const citation = encodeCitation(event)
    if (citation === undefined) return
    this.#openTail('text', { type: 'text', text: '' }).pending.push({ type: 'citations_delta', citation })
  }

  #startCall(event: ToolCallStart): void {
    this.#completeTail()
    if (event.signature !== undefined) this.#sign(writeCallSignature(event.signature))
    this.#characters += event.name.length
    const block = { type: 'tool_use', id: this.#ids.take(event.id), name: event.name, input: {} }
    this.#calls.set(event.index, this.#queue.add('tool', block))
  }

  #addArguments(index: number, fragment: string): void {
    const block = this.#calls.get(index)
    if (block === undefined || fragment === '') return
    this.#characters += fragment.length
    block.pending.push({ type: 'input_json_delta', partial_json: fragment })
  }

  #endCall(index: number): void {
    const block = this.#calls.get(index)
    if (block !== undefined) block.complete = true
  }

  #openThinking(): QueuedBlock {
    return this.#openTail('thinking', { type: 'thinking', thinking: '', signature: '' })
  }

  #openTail(kind: 'text' | 'thinking', contentBlock: JsonObject): QueuedBlock {
    const { tail } = this.#queue
    if (tail?.kind === kind && !tail.complete) return tail
    this.#completeTail()
    return this.#queue.add(kind, contentBlock)
  }

  /** Text and thinking end where something else begins; a tool call ends only by its own end. */
  #completeTail(): void {
    const { tail } = this.#queue
    if (tail !== undefined && tail.kind !== 'tool') tail.complete = true
  }
}

function writeEvent(event: JsonObject): string {
  const type: JsonValue | undefined = event['type']
  return `event: ${String(type)}\ndata: ${JSON.stringify(event)}\n\n`
}

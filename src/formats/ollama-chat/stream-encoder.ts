import type { ClientContext, ClientError, StreamEncoder } from '../format.ts'
import type { ChatEvent, FinishEvent, Usage } from '../ir/chat-event.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import { jsonFields } from '../ir/json-fields.ts'
import { areWhole, argumentsLine } from './call-arguments.ts'
import { doneFields, doneReason, errorText, rfc3339, tokenList } from './reply-line.ts'

/** How a line holds its content: as a message, or as fields of the line. */
export interface LineShape {
  /** JSON members of a line with this text, without braces. */
  text(text: string): string
  thinking(text: string): string
  /** `argumentsText` is JSON on one line; undefined where the format has no calls. */
  readonly call: ((call: { id: string; index: number; name: string }, argumentsText: string) => string) | undefined
  readonly image: (data: string) => string
}

interface OpenCall {
  readonly id: string
  readonly name: string
  arguments: string
}

/** Writes NDJSON, one object a line. Calls go whole: their arguments are an object. */
export class OllamaStreamEncoder implements StreamEncoder {
  readonly #context: ClientContext
  readonly #shape: LineShape
  readonly #calls = new Map<number, OpenCall>()
  #model: string
  #head: string
  #calledSoFar = 0
  #hasText = false
  #usage: Usage | undefined
  #finish: FinishEvent | undefined

  constructor(context: ClientContext, shape: LineShape) {
    this.#context = context
    this.#shape = shape
    this.#model = context.request.model
    this.#head = this.#writeHead()
  }

  /** Error events are for the caller, who ends the stream with `fail`. */
  push(event: ChatEvent): string {
    switch (event.type) {
      case 'start':
        this.#model = event.model ?? this.#model
        this.#head = this.#writeHead()
        return ''
      case 'usage':
        this.#usage = { ...this.#usage, ...event.usage }
        return ''
      case 'error':
        return ''
      default:
        return event.choice === 0 ? this.#pushChoice(event) : ''
    }
  }

  end(): string {
    if (this.#finish === undefined)
      return `${JSON.stringify({ error: 'The answer ended without its finish reason.' })}\n`
    const done = JSON.stringify(doneFields(this.#finish.reason, this.#usage, this.#context)).slice(1, -1)
    return `${this.#head}${this.#shape.text('')},${done}}\n`
  }

  fail(error: ClientError): string {
    return `${JSON.stringify({ error: errorText(error) })}\n`
  }

  #pushChoice(event: Exclude<ChatEvent, { type: 'start' | 'usage' | 'error' }>): string {
    switch (event.type) {
      case 'text-delta':
      case 'refusal-delta':
        this.#hasText ||= event.text !== ''
        return this.#line(this.#shape.text(event.text))
      case 'thinking-delta':
        return this.#line(this.#shape.thinking(event.text))
      case 'tool-call-start':
        this.#calls.set(event.index, { id: event.id, name: event.name, arguments: '' })
        return ''
      case 'tool-call-delta': {
        const call = this.#calls.get(event.index)
        if (call !== undefined) call.arguments += event.arguments
        return ''
      }
      case 'tool-call-end':
        return areWhole(this.#calls.get(event.index)?.arguments ?? '') ? this.#writeCall(event.index) : ''
      case 'image':
        return this.#line(this.#shape.image(event.data))
      case 'logprobs':
        return this.#writeLogprobs(event.logprobs)
      case 'finish':
        return this.#finishCalls(event)
      case 'citation':
      case 'thinking-signature':
      case 'redacted-thinking':
        return ''
    }
  }

  /** Calls with half their arguments waited for the reason: those of a cut answer are not made, others are made without arguments. */
  #finishCalls(event: FinishEvent): string {
    this.#finish = event
    const explanation = event.reason === 'content-filter' && !this.#hasText ? event.explanation : undefined
    const refusal = explanation === undefined ? '' : this.#line(this.#shape.text(explanation))
    if (doneReason(event.reason) !== 'stop') return refusal
    return refusal + [...this.#calls.keys()].map((index) => this.#writeCall(index)).join('')
  }

  #writeCall(index: number): string {
    const call = this.#calls.get(index)
    if (call === undefined || this.#shape.call === undefined) return ''
    this.#calls.delete(index)
    const place = this.#calledSoFar
    this.#calledSoFar += 1
    return this.#line(this.#shape.call({ id: call.id, index: place, name: call.name }, argumentsLine(call.arguments)))
  }

  #writeLogprobs(logprobs: JsonObject): string {
    const tokens = tokenList(logprobs)
    if (tokens === undefined) return ''
    return this.#line(`${this.#shape.text('')},${JSON.stringify(jsonFields({ logprobs: tokens })).slice(1, -1)}`)
  }

  #line(members: string): string {
    return `${this.#head}${members},"done":false}\n`
  }

  #writeHead(): string {
    const head = { model: this.#model, created_at: rfc3339(this.#context.now) }
    return `${JSON.stringify(head).slice(0, -1)},`
  }
}

import type { ChatEvent, Citation, FinishEvent, FinishReason, ToolCallStart } from '../ir/chat-event.ts'
import type { ChatOptions, JsonObject, JsonValue, Signature } from '../ir/chat-request.ts'
import { hasWholeArguments } from '../ir/has-whole-arguments.ts'
import { tagSignature } from '../ir/signature.ts'
import { writeFinishReason } from './map-finish-reason.ts'
import { writeAnnotation, writeImage } from './write-media.ts'
import { isCustom, isLegacy, writeCall, writeThoughtSignature } from './write-tool-call.ts'

export type ChoiceEvent = Exclude<ChatEvent, { type: 'start' | 'usage' | 'error' }>

const NOTHING: readonly JsonObject[] = []

interface StartedCall {
  readonly start: ToolCallStart
  /** A custom tool's input can only be unwrapped whole, so its arguments are held back. */
  readonly isHeld: boolean
  arguments: string
}

/** Turns the events of one choice into the entries of `choices` in its chunks, one entry a chunk. */
export class ChoiceEncoder {
  readonly #request: ChatOptions
  readonly #index: number
  readonly #legacy: boolean
  readonly #calls = new Map<number, StartedCall>()
  #isStarted = false
  #hasRefusal = false
  /** Thinking blocks are numbered so that clients can put the pieces together. */
  #block = 0
  #isBlockOpen = false
  /** Offsets in the text so far: what the next citation covers. */
  #citedTo = 0
  #textLength = 0

  constructor(request: ChatOptions, index: number) {
    this.#request = request
    this.#index = index
    this.#legacy = isLegacy(request)
  }

  push(event: ChoiceEvent): readonly JsonObject[] {
    if (event.type === 'finish' && event.explanation !== undefined && !this.#hasRefusal) {
      const { choice, explanation } = event
      return [...this.push({ type: 'refusal-delta', choice, text: explanation }), ...this.push(event)]
    }
    const late = event.type === 'finish' ? this.#writeHeldCalls(event.reason) : NOTHING
    const entry = this.#encode(event)
    if (this.#isStarted || entry === undefined) return entry === undefined ? NOTHING : [...late, entry]
    this.#isStarted = true
    const isCall = event.type === 'tool-call-start' || event.type === 'tool-call-end' || late.length > 0
    return [this.#delta({ role: 'assistant', content: isCall ? null : '' }), ...late, entry]
  }

  #encode(event: ChoiceEvent): JsonObject | undefined {
    if (event.type === 'thinking-delta') return this.#thinking(event.text)
    if (event.type === 'thinking-signature') return this.#signature(event.signature)
    if (this.#isBlockOpen) this.#closeBlock()
    switch (event.type) {
      case 'text-delta':
        this.#textLength += event.text.length
        return this.#delta({ content: event.text })
      case 'redacted-thinking':
        this.#block += 1
        return this.#delta({
          reasoning_details: [{ type: 'reasoning.encrypted', data: tagSignature(event.data), index: this.#block - 1 }],
        })
      case 'refusal-delta':
        this.#hasRefusal = true
        return this.#delta({ refusal: event.text })
      case 'tool-call-start':
        return this.#startCall(event)
      case 'tool-call-delta':
        return this.#continueCall(event.index, event.arguments)
      case 'tool-call-end':
        return this.#endCall(event.index)
      case 'image':
        return this.#delta({ images: [writeImage(event)] })
      case 'citation':
        return this.#cite(event)
      case 'logprobs':
        return { index: this.#index, delta: {}, logprobs: event.logprobs, finish_reason: null }
      case 'finish':
        return this.#finish(event)
    }
  }

  #delta(delta: JsonObject): JsonObject {
    return { index: this.#index, delta, logprobs: null, finish_reason: null }
  }

  #thinking(text: string): JsonObject {
    this.#isBlockOpen = true
    const detail = { type: 'reasoning.text', text, index: this.#block }
    return this.#delta({ reasoning_content: text, reasoning_details: [detail] })
  }

  #signature(signature: Signature): JsonObject {
    const detail = { type: 'reasoning.text', text: '', signature: tagSignature(signature), index: this.#block }
    this.#closeBlock()
    return this.#delta({ reasoning_details: [detail] })
  }

  #closeBlock(): void {
    this.#isBlockOpen = false
    this.#block += 1
  }

  #startCall(start: ToolCallStart): JsonObject | undefined {
    const isHeld = isCustom(this.#request, start.name)
    this.#calls.set(start.index, { start, isHeld, arguments: '' })
    if (isHeld || !this.#isWritable(start.index)) return undefined
    const { index, id, name, signature } = start
    const called = { name, arguments: '' }
    if (this.#legacy) return this.#delta({ function_call: called })
    return this.#callDelta({ index, id, type: 'function', function: called, ...writeThoughtSignature(signature) })
  }

  #continueCall(index: number, fragment: string): JsonObject | undefined {
    const call = this.#calls.get(index)
    if (call === undefined || !this.#isWritable(index)) return undefined
    call.arguments += call.isHeld || call.arguments === '' ? fragment : ''
    return call.isHeld ? undefined : this.#argumentsDelta(index, fragment)
  }

  /** A call without arguments gets `{}`: clients parse the text. */
  #endCall(index: number): JsonObject | undefined {
    const call = this.#calls.get(index)
    if (call === undefined || !this.#isWritable(index)) return undefined
    if (!call.isHeld) return call.arguments === '' ? this.#argumentsDelta(index, '{}') : undefined
    // What is no whole JSON waits for the finish, which tells whether it was cut off.
    return hasWholeArguments(call.arguments) ? this.#writeHeldCall(call, undefined) : undefined
  }

  #writeHeldCalls(finish: FinishReason): readonly JsonObject[] {
    return [...this.#calls.values()].filter(({ isHeld }) => isHeld).map((call) => this.#writeHeldCall(call, finish))
  }

  #writeHeldCall(call: StartedCall, finish: FinishReason | undefined): JsonObject {
    const { index, id, name } = call.start
    this.#calls.delete(index)
    const whole = writeCall({ id, name, arguments: call.arguments, signature: undefined }, this.#request, finish)
    return this.#callDelta({ index, ...whole })
  }

  /** The legacy form holds one call. */
  #isWritable(index: number): boolean {
    return !this.#legacy || index === 0
  }

  #argumentsDelta(index: number, fragment: string): JsonObject {
    const called = { arguments: fragment }
    return this.#legacy ? this.#delta({ function_call: called }) : this.#callDelta({ index, function: called })
  }

  #callDelta(call: JsonValue): JsonObject {
    return this.#delta({ tool_calls: [call] })
  }

  #cite(citation: Citation): JsonObject | undefined {
    const annotation = writeAnnotation(citation, { start: this.#citedTo, end: this.#textLength })
    this.#citedTo = this.#textLength
    return annotation === undefined ? undefined : this.#delta({ annotations: [annotation] })
  }

  #finish({ reason }: FinishEvent): JsonObject {
    const word = writeFinishReason(reason)
    const finish_reason = this.#legacy && word === 'tool_calls' ? 'function_call' : word
    return { index: this.#index, delta: {}, logprobs: null, finish_reason }
  }
}

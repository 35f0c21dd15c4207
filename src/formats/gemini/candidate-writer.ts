import { appendAll } from '../ir/append-all.ts'
import type { ChatEvent, Citation, FinishEvent } from '../ir/chat-event.ts'
import type { JsonObject, JsonValue, Signature } from '../ir/chat-request.ts'
import { parseJsonObject } from '../ir/parse-json-object.ts'
import { writeGrounding } from './map-citations.ts'
import { writeLogprobs } from './map-logprobs.ts'
import { isCutOff, type ReplyCall, writeCall, writeFinishReason } from './write-reply-part.ts'

interface DraftCall {
  readonly id: string
  readonly name: string
  readonly signature: Signature | undefined
  arguments: string
}

/** Keeps what one candidate of a stream may only say whole (its calls) or at the end. */
export class CandidateWriter {
  readonly #calls = new Map<number, DraftCall>()
  readonly #citations: Citation[] = []
  readonly #tokens: JsonValue[] = []
  #written = 0
  #finish: FinishEvent | undefined

  startCall(event: Extract<ChatEvent, { type: 'tool-call-start' }>): void {
    this.#calls.set(event.index, { id: event.id, name: event.name, signature: event.signature, arguments: '' })
  }

  addArguments(event: Extract<ChatEvent, { type: 'tool-call-delta' }>): void {
    const call = this.#calls.get(event.index)
    if (call !== undefined) call.arguments += event.arguments
  }

  /** The call as a part; one whose arguments are not an object waits for the finish, which tells why. */
  endCall(index: number): JsonObject[] {
    const call = this.#calls.get(index)
    const whole = call !== undefined && (call.arguments.trim() === '' || parseJsonObject(call.arguments) !== undefined)
    if (!whole) return []
    this.#calls.delete(index)
    return [this.#write(call)]
  }

  cite(citation: Citation): void {
    this.#citations.push(citation)
  }

  addLogprobs(logprobs: JsonObject): void {
    const tokens = logprobs['content']
    if (Array.isArray(tokens)) appendAll(this.#tokens, tokens)
  }

  finish(event: FinishEvent): void {
    this.#finish = event
  }

  /** The last chunk's candidate. */
  last(index: number): JsonObject {
    const finish = this.#finish
    const calls = [...this.#calls.values()].filter((call) => !isCutOff(call, finish?.reason))
    const parts = calls.map((call) => this.#write(call))
    return {
      content: { role: 'model', parts: parts.length > 0 ? parts : [{ text: '' }] },
      ...(finish === undefined ? {} : { finishReason: writeFinishReason(finish.reason) }),
      ...(finish?.explanation === undefined ? {} : { finishMessage: finish.explanation }),
      index,
      ...(this.#citations.length > 0 ? { groundingMetadata: writeGrounding(this.#citations) } : {}),
      ...(this.#tokens.length > 0 ? { logprobsResult: writeLogprobs({ content: this.#tokens }) } : {}),
    }
  }

  #write(call: ReplyCall): JsonObject {
    const part = writeCall(call, this.#written)
    this.#written += 1
    return part
  }
}

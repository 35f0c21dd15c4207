import type { ChatEvent, ErrorEvent } from '#formats/ir/chat-event.ts'
import { BYTES_PER_TOKEN } from '#formats/ir/estimate-tokens.ts'
import type { Exchange } from '../exchange.ts'
import { type AttemptFailure, SinkFailure } from '../upstream/attempt-result.ts'

/** Reads a reply's events for what the gateway itself needs: whether it is an answer yet, finished, in error, and what it cost. */
export class ReplyNotes {
  readonly #exchange: Exchange
  /** Something a person would see has come. */
  hasContent = false
  readonly #begun = new Set<number>()
  readonly #finished = new Set<number>()
  #lastBegun: number | undefined
  #outputCharacters = 0

  constructor(exchange: Exchange) {
    this.#exchange = exchange
  }

  /** Every choice that has begun has its finish reason. */
  get finished(): boolean {
    return this.#finished.size > 0 && [...this.#begun].every((choice) => this.#finished.has(choice))
  }

  /** What was written is billed, also where the provider's own count did not come. */
  estimateOutput(): void {
    estimateOutput(this.#exchange, Math.ceil(this.#outputCharacters / BYTES_PER_TOKEN))
  }

  #begin(choice: number): void {
    this.hasContent = true
    if (choice === this.#lastBegun) return
    this.#lastBegun = choice
    this.#begun.add(choice)
  }

  /** @throws SinkFailure at an error event */
  note(event: ChatEvent): void {
    switch (event.type) {
      case 'start':
        if (event.model !== undefined) this.#exchange.answeredModel = event.model
        return
      case 'usage':
        this.#exchange.usage =
          this.#exchange.usage === undefined ? event.usage : { ...this.#exchange.usage, ...event.usage }
        return
      case 'text-delta':
      case 'thinking-delta':
      case 'refusal-delta':
        if (event.text === '') return
        this.#begin(event.choice)
        this.#outputCharacters += event.text.length
        return
      case 'tool-call-delta':
        this.#outputCharacters += event.arguments.length
        return
      case 'tool-call-start':
      case 'image':
      case 'citation':
      case 'redacted-thinking':
        this.#begin(event.choice)
        return
      case 'finish':
        this.#finished.add(event.choice)
        return
      case 'error':
        throw new SinkFailure(eventFailure(event))
      case 'thinking-signature':
      case 'tool-call-end':
      case 'logprobs':
        return
    }
  }
}

/** Counts so many tokens, marked as an estimate, unless the provider has counted. */
export function estimateOutput(exchange: Exchange, tokens: number): void {
  if (exchange.usage?.output !== undefined || tokens === 0) return
  exchange.usageEstimated = true
  exchange.usage = { ...exchange.usage, output: tokens }
}

/** An error that came inside a reply with status 200. */
function eventFailure(event: ErrorEvent): AttemptFailure {
  const base = { message: event.message, providerCode: event.code, status: undefined }
  switch (event.kind) {
    case 'overloaded':
      return { ...base, outcome: { kind: 'overloaded', retryAfterMs: undefined }, code: 'KP-PROV-107' }
    case 'rate_limited':
      return {
        ...base,
        outcome: { kind: 'rate-limited', retryAfterMs: undefined, scope: 'account' },
        code: 'KP-PROV-110',
      }
    case 'invalid_request':
      return { ...base, outcome: { kind: 'refused', reason: 'invalid' }, code: 'KP-PROV-104' }
    case 'upstream':
      return { ...base, outcome: { kind: 'server-error', status: 200 }, code: 'KP-PROV-100', details: { status: 200 } }
  }
}

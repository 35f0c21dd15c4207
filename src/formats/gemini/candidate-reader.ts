import type { ChatEvent, FinishEvent } from '../ir/chat-event.ts'
import type { Signature } from '../ir/chat-request.ts'
import { isJsonObject } from '../ir/json-fields.ts'
import { type CallNaming, FunctionCallReader } from './function-call-reader.ts'
import { readCitations } from './map-citations.ts'
import { mapGeminiFinishReason } from './map-finish-reason.ts'
import { readLogprobs } from './map-logprobs.ts'
import { brokenReply, type ReplyCandidate, type ReplyPartChunk } from './reply-chunk.ts'
import { readThoughtSignature } from './thought-signature.ts'

/** Reads one candidate over the chunks of a reply. */
export class CandidateReader {
  readonly #choice: number
  readonly #issuer: string
  readonly #calls: FunctionCallReader
  readonly #cited = new Set<string>()
  #hasContent = false
  #ended = false

  constructor(choice: number, issuer: string, naming: CallNaming) {
    this.#choice = choice
    this.#issuer = issuer
    this.#calls = new FunctionCallReader(choice, naming)
  }

  /** `outputTokens`: what the reply has cost so far, thoughts included. */
  read(candidate: ReplyCandidate, outputTokens: number): ChatEvent[] {
    const events: ChatEvent[] = []
    const parts = candidate.content?.parts
    if (Array.isArray(parts)) for (const part of parts) this.#readPart(part, events)
    for (const citation of readCitations(candidate, this.#choice)) {
      const key = `${citation.url} ${citation.citedText}`
      if (!this.#cited.has(key)) events.push(citation)
      this.#cited.add(key)
    }
    if (candidate.logprobsResult !== undefined) {
      events.push({ type: 'logprobs', choice: this.#choice, logprobs: readLogprobs(candidate.logprobsResult) })
    }
    if (candidate.finishReason !== undefined && !this.#ended) this.#readFinish(candidate, outputTokens, events)
    return events
  }

  #readPart(part: ReplyPartChunk, events: ChatEvent[]): void {
    const signature =
      part.thoughtSignature === undefined ? undefined : readThoughtSignature(part.thoughtSignature, this.#issuer)
    if (isJsonObject(part.functionCall)) {
      this.#hasContent = true
      events.push(...this.#calls.read(part.functionCall, signature))
    } else if (part.inlineData?.mimeType?.startsWith('image/')) {
      const { mimeType, data } = part.inlineData
      if (typeof data !== 'string') throw brokenReply('inlineData has no data')
      this.#hasContent = true
      events.push({ type: 'image', choice: this.#choice, mediaType: mimeType, data })
    } else this.#readText(part, signature, events)
    // executableCode and codeExecutionResult are Google's own doing: no call that a client could answer.
  }

  #readText(part: ReplyPartChunk, signature: Signature | undefined, events: ChatEvent[]): void {
    const text = typeof part.text === 'string' ? part.text : ''
    const choice = this.#choice
    if (text !== '') {
      this.#hasContent = true
      events.push({ type: part.thought === true ? 'thinking-delta' : 'text-delta', choice, text })
    }
    if (signature === undefined) return
    // On text the signature is the record of the thinking before it, which stands on its own.
    if (part.thought === true) events.push({ type: 'thinking-signature', choice, signature })
    else events.push({ type: 'redacted-thinking', choice, data: signature })
  }

  #readFinish(candidate: ReplyCandidate, outputTokens: number, events: ChatEvent[]): void {
    const reason = candidate.finishReason ?? ''
    const verdict = mapGeminiFinishReason(reason)
    if (verdict === 'unspecified') return
    this.#ended = true
    events.push(...this.#calls.close())
    // A reason from the future ends an answer that has content; without content nothing says that it went well.
    if (verdict === 'failed' || (verdict === 'unknown' && !this.#hasContent)) {
      const message = candidate.finishMessage ?? `The model stopped with ${reason}.`
      events.push({ type: 'error', kind: 'upstream', code: reason, message })
    } else if (verdict === 'stop' && !this.#hasContent && outputTokens === 0) {
      events.push({ type: 'error', kind: 'upstream', code: 'empty', message: 'The model gave an empty answer.' })
    } else if (verdict === 'length') events.push(this.#finish('length'))
    else if (verdict === 'content-filter') {
      events.push({ ...this.#finish('content-filter'), explanation: candidate.finishMessage ?? reason })
    } else events.push(this.#finish(this.#calls.count > 0 ? 'tool-calls' : 'stop'))
  }

  #finish(reason: FinishEvent['reason']): FinishEvent {
    return { type: 'finish', choice: this.#choice, reason }
  }
}

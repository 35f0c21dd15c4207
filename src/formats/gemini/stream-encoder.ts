import type { ClientContext, ClientError, StreamEncoder } from '../format.ts'
import { geminiShapes } from '../gemini-shapes/gemini-shapes.ts'
import type { ChatEvent, Usage } from '../ir/chat-event.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import { CandidateWriter } from './candidate-writer.ts'
import { writeGeminiUsage } from './map-usage.ts'
import { writeImage, writeRedactedThought, writeThought } from './write-reply-part.ts'

/**
 * Writes `streamGenerateContent?alt=sse`: whole responses as events, no comments (Google's clients fail on them), no terminator.
 * Finish and usage come with the last chunk, so `end` writes it.
 */
export function geminiStreamEncoder(context: ClientContext): StreamEncoder {
  return new GeminiStreamEncoder(context)
}

class GeminiStreamEncoder implements StreamEncoder {
  readonly #context: ClientContext
  readonly #candidates = new Map<number, CandidateWriter>()
  #usage: Usage | undefined
  #model: string
  #id: string | undefined

  constructor(context: ClientContext) {
    this.#context = context
    this.#model = context.request.model
  }

  push(event: ChatEvent): string {
    switch (event.type) {
      case 'start':
        this.#model = event.model ?? this.#model
        this.#id = event.id
        return ''
      case 'usage':
        this.#usage = { ...this.#usage, ...event.usage }
        return ''
      case 'error':
        // The caller answers with `fail`.
        return ''
      default:
        return this.#pushToCandidate(event)
    }
  }

  end(): string {
    if (this.#candidates.size === 0) this.#candidate(0)
    const candidates = [...this.#candidates].map(([index, candidate]) => candidate.last(index))
    const usage = this.#usage === undefined ? {} : { usageMetadata: writeGeminiUsage(this.#usage, this.#context) }
    return this.#response(candidates, usage)
  }

  fail(error: ClientError): string {
    return `data: ${escapeLineEnds(JSON.stringify(geminiShapes.encodeError(error).body))}\r\n\r\n`
  }

  #pushToCandidate(event: Exclude<ChatEvent, { type: 'start' | 'usage' | 'error' }>): string {
    const candidate = this.#candidate(event.choice)
    switch (event.type) {
      case 'text-delta':
      case 'refusal-delta':
        return event.text === '' ? '' : this.#chunk(event.choice, { text: event.text })
      case 'thinking-delta':
        return this.#thought(event.choice, writeThought(event.text, undefined))
      case 'thinking-signature':
        return this.#thought(event.choice, writeThought('', event.signature))
      case 'redacted-thinking':
        return this.#chunk(event.choice, writeRedactedThought(event.data))
      case 'image':
        return this.#chunk(event.choice, writeImage(event.mediaType, event.data))
      case 'tool-call-start':
        candidate.startCall(event)
        return ''
      case 'tool-call-delta':
        candidate.addArguments(event)
        return ''
      case 'tool-call-end':
        return candidate
          .endCall(event.index)
          .map((part) => this.#chunk(event.choice, part))
          .join('')
      case 'citation':
        candidate.cite(event)
        return ''
      case 'logprobs':
        candidate.addLogprobs(event.logprobs)
        return ''
      case 'finish':
        candidate.finish(event)
        return ''
    }
  }
  #thought(choice: number, part: JsonObject): string {
    return this.#context.request.reasoning?.includeThoughts === false ? '' : this.#chunk(choice, part)
  }

  #chunk(index: number, part: JsonObject): string {
    return this.#response([{ content: { role: 'model', parts: [part] }, index }], {})
  }

  #response(candidates: JsonObject[], more: JsonObject): string {
    this.#id ??= this.#context.newId()
    const response = { candidates, ...more, modelVersion: this.#model, responseId: this.#id }
    return `data: ${escapeLineEnds(JSON.stringify(response))}\r\n\r\n`
  }

  #candidate(index: number): CandidateWriter {
    const known = this.#candidates.get(index)
    if (known !== undefined) return known
    const made = new CandidateWriter()
    this.#candidates.set(index, made)
    return made
  }
}

/** Line ends to Python's `splitlines`, with which Google's Python SDK reads the stream; JSON leaves them as they are. */
const LINE_ENDS = /[\u0085\u2028\u2029]/g

function escapeLineEnds(json: string): string {
  return json.replaceAll(LINE_ENDS, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

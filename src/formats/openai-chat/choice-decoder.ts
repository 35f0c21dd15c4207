import type { ReplyContext } from '../format.ts'
import type { ChatEvent } from '../ir/chat-event.ts'
import type { JsonObject, JsonValue } from '../ir/chat-request.ts'
import { readMediaUrl } from '../ir/data-url.ts'
import { readSignature } from '../ir/signature.ts'
import { readFailedFinish, readFinishReason } from './map-finish-reason.ts'
import { readObject, readObjects, readText } from './read-fields.ts'
import { ToolCallDecoder } from './tool-call-decoder.ts'

/** Reads the deltas of one choice, or its whole message, which has the same fields. */
export class ChoiceDecoder {
  readonly #context: ReplyContext
  readonly #choice: number
  readonly #calls: ToolCallDecoder
  #isFinished = false

  constructor(context: ReplyContext, choice: number) {
    this.#context = context
    this.#choice = choice
    this.#calls = new ToolCallDecoder(context, choice)
  }

  /** `replyId` is the upstream's, for ids that have to be minted. */
  push(delta: JsonObject, replyId: string, events: ChatEvent[]): void {
    // Most chunks are a piece of text and nothing else.
    const { content } = delta
    this.#readReasoning(delta, events)
    if (typeof content === 'string') {
      if (content !== '') events.push({ type: 'text-delta', choice: this.#choice, text: content })
    } else this.#readContentParts(content, events)
    const refusal = readText(delta['refusal'])
    if (refusal !== '') events.push({ type: 'refusal-delta', choice: this.#choice, text: refusal })
    this.#readMedia(delta, events)
    for (const call of readObjects(delta['tool_calls'])) this.#calls.push(call, replyId, events)
    const legacy = delta['function_call']
    if (legacy !== undefined && legacy !== null) this.#calls.push({ index: 0, function: legacy }, replyId, events)
  }

  finish(word: string, events: ChatEvent[]): void {
    if (this.#isFinished) return
    this.#isFinished = true
    const failure = readFailedFinish(word)
    if (failure !== undefined) {
      events.push(failure)
      return
    }
    this.#calls.finish(events)
    events.push({ type: 'finish', choice: this.#choice, reason: readFinishReason(word, this.#calls.sawCalls) })
  }

  /** The body ended without a finish reason: what is open ends, and nothing is made up. */
  abandon(events: ChatEvent[]): void {
    if (!this.#isFinished) this.#calls.finish(events)
  }

  /** OpenRouter repeats the text of `reasoning_details` in `reasoning`, vLLM that of `reasoning_content`: one of them counts. */
  #readReasoning(delta: JsonObject, events: ChatEvent[]): void {
    const before = events.length
    const details = delta['reasoning_details']
    if (details !== undefined) for (const detail of readObjects(details)) this.#readDetail(detail, events)
    if (events.length > before && events.slice(before).some((event) => event.type === 'thinking-delta')) return
    const text = readText(delta['reasoning_content']) || readText(delta['reasoning'])
    if (text !== '') events.splice(before, 0, { type: 'thinking-delta', choice: this.#choice, text })
  }

  #readDetail(detail: JsonObject, events: ChatEvent[]): void {
    const choice = this.#choice
    const data = readText(detail['data'])
    if (data !== '') {
      events.push({ type: 'redacted-thinking', choice, data: readSignature(data, this.#context.issuer) })
    }
    const text = readText(detail['text']) || readText(detail['summary'])
    if (text !== '') events.push({ type: 'thinking-delta', choice, text })
    const signature = readText(detail['signature'])
    if (signature !== '') {
      events.push({ type: 'thinking-signature', choice, signature: readSignature(signature, this.#context.issuer) })
    }
  }

  /** Mistral's content is a list of parts once it thinks. @see https://docs.mistral.ai/capabilities/reasoning/ */
  #readContentParts(content: JsonValue | undefined, events: ChatEvent[]): void {
    for (const part of readObjects(content)) {
      const text = readText(part['text'])
      if (text !== '') events.push({ type: 'text-delta', choice: this.#choice, text })
      for (const thought of readObjects(part['thinking'])) {
        events.push({ type: 'thinking-delta', choice: this.#choice, text: readText(thought['text']) })
      }
    }
  }

  #readMedia(delta: JsonObject, events: ChatEvent[]): void {
    const { images, annotations } = delta
    if (images !== undefined) {
      for (const image of readObjects(images)) {
        const source = readMediaUrl(readText(readObject(image['image_url'])['url']))
        if (source.kind !== 'base64') continue
        events.push({ type: 'image', choice: this.#choice, mediaType: source.mediaType, data: source.data })
      }
    }
    if (annotations === undefined) return
    for (const annotation of readObjects(annotations)) {
      const citation = readObject(annotation['url_citation'])
      events.push({
        type: 'citation',
        choice: this.#choice,
        url: readText(citation['url']) || undefined,
        title: readText(citation['title']) || undefined,
        citedText: readText(citation['content']) || undefined,
      })
    }
  }
}

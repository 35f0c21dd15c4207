import { appendAll } from '../ir/append-all.ts'
import type { Citation } from '../ir/chat-event.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import { deltaPrefix, type EventWriter } from './event-writer.ts'
import { type ItemStatus, messageItem, outputTextPart, refusalPart, urlCitation } from './reply-items.ts'

interface OpenPart {
  readonly kind: 'text' | 'refusal'
  readonly index: number
  readonly prefix: string
  text: string
  readonly annotations: JsonObject[]
  logprobs: JsonObject[]
}

/** A message item while its text arrives. */
export class MessageDraft {
  readonly #writer: EventWriter
  readonly #id: string
  readonly #outputIndex: number
  readonly #content: JsonObject[] = []
  #part: OpenPart | undefined

  constructor(writer: EventWriter, id: string, outputIndex: number) {
    this.#writer = writer
    this.#id = id
    this.#outputIndex = outputIndex
  }

  open(): string {
    const item = messageItem(this.#id, 'in_progress', [])
    return this.#writer.write('response.output_item.added', { output_index: this.#outputIndex, item })
  }

  addText(text: string): string {
    const part = this.#part
    if (part?.kind === 'text') {
      part.text += text
      return this.#writer.writeDelta('response.output_text.delta', part.prefix, text, ',"logprobs":[]')
    }
    return this.#closePart() + this.#openPart('text') + this.addText(text)
  }

  addRefusal(text: string): string {
    const part = this.#part
    if (part?.kind === 'refusal') {
      part.text += text
      return this.#writer.writeDelta('response.refusal.delta', part.prefix, text, '')
    }
    return this.#closePart() + this.#openPart('refusal') + this.addRefusal(text)
  }

  addCitation(citation: Citation): string {
    const part = this.#part
    if (part?.kind !== 'text') return this.#closePart() + this.#openPart('text') + this.addCitation(citation)
    const annotation = urlCitation(citation, part.text)
    if (annotation === undefined) return ''
    part.annotations.push(annotation)
    return this.#writer.write('response.output_text.annotation.added', {
      ...this.#place(part.index),
      annotation_index: part.annotations.length - 1,
      annotation,
    })
  }

  /** Shown with the finished part. */
  addLogprobs(logprobs: readonly JsonObject[]): void {
    if (this.#part !== undefined) appendAll(this.#part.logprobs, logprobs)
  }

  /** The last events of the item, and the item as the final response repeats it. */
  close(status: ItemStatus): { readonly text: string; readonly item: JsonObject } {
    const text = this.#closePart()
    const item = messageItem(this.#id, status, this.#content)
    const done = this.#writer.write('response.output_item.done', { output_index: this.#outputIndex, item })
    return { text: text + done, item }
  }

  #place(contentIndex: number): JsonObject {
    return { item_id: this.#id, output_index: this.#outputIndex, content_index: contentIndex }
  }

  #openPart(kind: OpenPart['kind']): string {
    const index = this.#content.length
    const place = this.#place(index)
    this.#part = { kind, index, prefix: deltaPrefix(place), text: '', annotations: [], logprobs: [] }
    return this.#writer.write('response.content_part.added', { ...place, part: wirePart(this.#part) })
  }

  #closePart(): string {
    const open = this.#part
    if (open === undefined) return ''
    this.#part = undefined
    const place = this.#place(open.index)
    const part = wirePart(open)
    this.#content.push(part)
    const done =
      open.kind === 'text'
        ? this.#writer.write('response.output_text.done', {
            ...place,
            text: open.text,
            logprobs: part['logprobs'] ?? [],
          })
        : this.#writer.write('response.refusal.done', { ...place, refusal: open.text })
    return done + this.#writer.write('response.content_part.done', { ...place, part })
  }
}

function wirePart(part: OpenPart): JsonObject {
  if (part.kind === 'refusal') return refusalPart(part.text)
  return outputTextPart(part.text, part.annotations, { content: part.logprobs })
}

import type { JsonObject, Signature } from '../ir/chat-request.ts'
import { deltaPrefix, type EventWriter } from './event-writer.ts'
import { type ItemStatus, reasoningItem } from './reply-items.ts'

/** A reasoning item while its summary arrives. */
export class ReasoningDraft {
  readonly #writer: EventWriter
  readonly #id: string
  readonly #outputIndex: number
  readonly #prefix: string
  #summary: string | undefined

  constructor(writer: EventWriter, id: string, outputIndex: number) {
    this.#writer = writer
    this.#id = id
    this.#outputIndex = outputIndex
    this.#prefix = deltaPrefix(this.#place())
  }

  open(): string {
    const item = reasoningItem(this.#id, 'in_progress', undefined, undefined)
    return this.#writer.write('response.output_item.added', { output_index: this.#outputIndex, item })
  }

  addText(text: string): string {
    const begin = this.openSummary()
    this.#summary += text
    return begin + this.#writer.writeDelta('response.reasoning_summary_text.delta', this.#prefix, text, '')
  }

  /** A signature needs a summary beside it, if an empty one. */
  openSummary(): string {
    if (this.#summary !== undefined) return ''
    this.#summary = ''
    const part = { type: 'summary_text', text: '' }
    return this.#writer.write('response.reasoning_summary_part.added', { ...this.#place(), part })
  }

  close(status: ItemStatus, sealed: Signature | undefined): { readonly text: string; readonly item: JsonObject } {
    const item = reasoningItem(this.#id, status, this.#summary, sealed)
    const text =
      this.#closeSummary() + this.#writer.write('response.output_item.done', { output_index: this.#outputIndex, item })
    return { text, item }
  }

  #closeSummary(): string {
    const text = this.#summary
    if (text === undefined) return ''
    const place = this.#place()
    return (
      this.#writer.write('response.reasoning_summary_text.done', { ...place, text }) +
      this.#writer.write('response.reasoning_summary_part.done', { ...place, part: { type: 'summary_text', text } })
    )
  }

  #place(): JsonObject {
    return { item_id: this.#id, output_index: this.#outputIndex, summary_index: 0 }
  }
}

import type { JsonObject } from '../ir/chat-request.ts'

/** A content block on its way to the client. */
export interface QueuedBlock {
  readonly kind: 'text' | 'thinking' | 'tool' | 'whole'
  readonly contentBlock: JsonObject
  /** Deltas that could not be written yet. */
  pending: JsonObject[]
  /** Nothing more will come. */
  complete: boolean
}

/**
 * Writes blocks one after the other, as https://platform.claude.com/docs/en/build-with-claude/streaming wants it: indexes are
 * dense, and a block begins only when the one before it is closed. What arrives for a later block waits.
 */
export class BlockQueue {
  readonly #blocks: QueuedBlock[] = []
  readonly #write: (event: JsonObject) => string
  #index = 0
  #headStarted = false

  constructor(write: (event: JsonObject) => string) {
    this.#write = write
  }

  get tail(): QueuedBlock | undefined {
    return this.#blocks.at(-1)
  }

  add(kind: QueuedBlock['kind'], contentBlock: JsonObject): QueuedBlock {
    const block: QueuedBlock = { kind, contentBlock, pending: [], complete: kind === 'whole' }
    this.#blocks.push(block)
    return block
  }

  /** Text of all events that may be written now. */
  drain(): string {
    let text = ''
    for (let head = this.#blocks[0]; head !== undefined; head = this.#blocks[0]) {
      text += this.#start(head)
      for (const delta of head.pending) text += this.#write({ type: 'content_block_delta', index: this.#index, delta })
      head.pending = []
      if (!head.complete) break
      text += this.#write({ type: 'content_block_stop', index: this.#index })
      this.#index += 1
      this.#headStarted = false
      this.#blocks.shift()
    }
    return text
  }

  completeAll(): void {
    for (const block of this.#blocks) block.complete = true
  }

  #start(head: QueuedBlock): string {
    if (this.#headStarted) return ''
    this.#headStarted = true
    return this.#write({ type: 'content_block_start', index: this.#index, content_block: head.contentBlock })
  }
}

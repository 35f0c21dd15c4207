import type { HttpReply } from '../client-http/http-exchange.ts'
import type { Sweeper, Swept } from '../sweep.ts'

/** Resolves when the client has taken the whole reply, or is gone; undefined = it has already. A client that stops reading is cut. */
export function replyFlushed(reply: HttpReply, sweeper: Sweeper, stalledReaderMs: number): Promise<void> | undefined {
  if (reply.destroyed || !reply.writableEnded || reply.writableLength === 0) return undefined
  return new Promise((resolve) => {
    const slot = sweeper.add(new ReplyFlush(reply, stalledReaderMs))
    reply.once('close', () => {
      sweeper.remove(slot)
      resolve()
    })
  })
}

class ReplyFlush implements Swept {
  readonly #reply: HttpReply
  readonly #stalledReaderMs: number
  #leftBytes: number
  #progressAt: number | undefined

  constructor(reply: HttpReply, stalledReaderMs: number) {
    this.#reply = reply
    this.#stalledReaderMs = stalledReaderMs
    this.#leftBytes = reply.writableLength
  }

  sweep(now: number): void {
    const leftBytes = this.#reply.writableLength
    if (this.#progressAt === undefined || leftBytes !== this.#leftBytes) {
      this.#progressAt = now
      this.#leftBytes = leftBytes
    } else if (now - this.#progressAt > this.#stalledReaderMs) this.#reply.destroy()
  }
}

import { MalformedReply } from './call-error.ts'
import { ChunkedBody } from './chunked-body.ts'
import type { ReplyTaker } from './provider-call.ts'
import { checkStart, HEAD_END, type ReplyHead, readReplyHead } from './reply-head.ts'

/** Of replies that only announce another one. */
const MOST_INTERIM = 32

/** Reads one reply to one call. */
export class ReplyReader {
  readonly #method: string
  readonly #taker: ReplyTaker
  /** A head of which not all has come. */
  #start: Buffer | undefined
  #interim = 0
  #head: ReplyHead | undefined
  #missingBytes = 0
  #chunked: ChunkedBody | undefined
  #isWhole = false
  #isCancelled = false

  constructor(method: string, taker: ReplyTaker) {
    this.#method = method
    this.#taker = taker
  }

  /** Of the final reply; undefined until it has come. */
  get head(): ReplyHead | undefined {
    return this.#head
  }

  get isWhole(): boolean {
    return this.#isWhole
  }

  /** Whether anything has come. */
  get hasBegun(): boolean {
    return this.#head !== undefined || this.#start !== undefined || this.#interim > 0
  }

  /** The taker is told nothing more. */
  cancel(): void {
    this.#isCancelled = true
  }

  /**
   * @returns what came after the reply, where it is whole
   * @throws MalformedReply
   */
  read(bytes: Buffer): Buffer | undefined {
    return this.#head === undefined ? this.#readHead(bytes) : this.#readBody(this.#head, bytes)
  }

  /** The provider has closed its side. @returns whether that ends the reply as it should */
  endOfConnection(): boolean {
    this.#isWhole ||= this.#head?.framing === 'until-close'
    return this.#isWhole
  }

  #readHead(read: Buffer): Buffer | undefined {
    const before = this.#start
    const bytes = before === undefined ? read : Buffer.concat([before, read])
    // The end may lie across the two.
    const end = bytes.indexOf(HEAD_END, Math.max(0, (before?.length ?? 0) - HEAD_END.length))
    checkStart(bytes, end)
    if (end === -1) {
      this.#start = bytes
      return undefined
    }
    this.#start = undefined
    const head = readReplyHead(bytes.toString('latin1', 0, end), this.#method)
    const rest = bytes.subarray(end + HEAD_END.length)
    if (head.status < 200) return this.#skipInterim(head.status, rest)
    this.#head = head
    if (head.framing === 'chunked') this.#chunked = new ChunkedBody()
    else if (head.framing !== 'until-close') {
      this.#missingBytes = head.framing
      this.#isWhole = head.framing === 0
    }
    this.#taker.head(head.status, head.headers)
    if (rest.length === 0 || this.#isCancelled) return undefined
    return this.#isWhole ? rest : this.#readBody(head, rest)
  }

  #skipInterim(status: number, rest: Buffer): Buffer | undefined {
    if (status === 101) throw new MalformedReply('it changes to another protocol')
    this.#interim += 1
    if (this.#interim > MOST_INTERIM) throw new MalformedReply('it is announced without end')
    return rest.length === 0 ? undefined : this.#readHead(rest)
  }

  #readBody({ framing }: ReplyHead, bytes: Buffer): Buffer | undefined {
    if (framing === 'until-close') {
      this.#taker.data(bytes)
      return undefined
    }
    return this.#chunked === undefined ? this.#readCounted(bytes) : this.#readChunked(bytes, this.#chunked)
  }

  #readCounted(bytes: Buffer): Buffer | undefined {
    const own = bytes.length > this.#missingBytes ? bytes.subarray(0, this.#missingBytes) : bytes
    this.#missingBytes -= own.length
    this.#isWhole = this.#missingBytes === 0
    if (own.length > 0) this.#taker.data(own)
    return own.length < bytes.length ? bytes.subarray(own.length) : undefined
  }

  #readChunked(bytes: Buffer, chunked: ChunkedBody): Buffer | undefined {
    let at = chunked.skipFraming(bytes, 0)
    // A piece for each chunk: an answer's first content reaches the client, whatever is wrong with the chunk behind it.
    while (at < bytes.length && !chunked.hasEnded && !this.#isCancelled) {
      const data = chunked.takeData(bytes, at)
      this.#taker.data(data)
      at = chunked.skipFraming(bytes, at + data.length)
    }
    this.#isWhole = chunked.hasEnded
    return this.#isWhole && at < bytes.length ? bytes.subarray(at) : undefined
  }
}

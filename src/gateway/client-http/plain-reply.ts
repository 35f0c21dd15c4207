import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { isSendable } from '../header-line.ts'
import { writeInTurn } from '../turn-writes.ts'
import type { HttpReply } from './http-exchange.ts'

/** Written at once; what is less waits for the end of the turn, because a provider's chunks come in bundles. */
const FLUSH_BYTES = 16_384
const LAST_CHUNK = Buffer.from('0\r\n\r\n', 'latin1')
const CRLF = Buffer.from('\r\n', 'latin1')
const CRLF_LAST_CHUNK = Buffer.concat([CRLF, LAST_CHUNK])
const NOTHING = Buffer.alloc(0)

/** What a reply tells its connection. */
export interface ReplyOwner {
  /** The last byte is with the kernel. */
  replyFlushed(reply: PlainReply): void
}

type Framing = 'length' | 'chunked' | 'empty'

/** The reply on a plain connection: one write for a whole one, one chunk a turn for a stream. */
export class PlainReply implements HttpReply {
  readonly #socket: Socket
  readonly #owner: ReplyOwner
  readonly #keepAlive: string
  #head = ''
  #framing: Framing = 'chunked'
  #waiting: Uint8Array[] = []
  #waitingBytes = 0
  #flushes: 'scheduled' | 'no' = 'no'
  #onClose: (() => void) | undefined
  writableEnded = false
  /** The connection ends with this reply. */
  isLast = false

  /** @param keepAlive value of the header of that name */
  constructor(socket: Socket, owner: ReplyOwner, keepAlive: string) {
    this.#socket = socket
    this.#owner = owner
    this.#keepAlive = keepAlive
  }

  get destroyed(): boolean {
    return this.#socket.destroyed
  }

  get writableLength(): number {
    return this.#waitingBytes + this.#socket.writableLength
  }

  get writableNeedDrain(): boolean {
    return this.#socket.writableNeedDrain
  }

  writeHead(status: number, headers: string[]): void {
    this.#framing = status === 204 || status === 304 ? 'empty' : 'chunked'
    this.isLast = false
    let lines = ''
    for (let at = 0; at < headers.length; at += 2) lines += this.#headerLine(headers[at] ?? '', headers[at + 1] ?? '')
    const connection = this.isLast ? '' : `Connection: keep-alive\r\nKeep-Alive: ${this.#keepAlive}\r\n`
    const encoding = this.#framing === 'chunked' ? 'Transfer-Encoding: chunked\r\n' : ''
    const statusLine = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n`
    this.#head = `${statusLine}${lines}Date: ${httpDate()}\r\n${connection}${encoding}\r\n`
  }

  #headerLine(name: string, value: string): string {
    if (!isSendable(name, value)) throw new TypeError(`header ${name} has a character that cannot be sent`)
    if (name === 'content-length' && this.#framing === 'chunked') this.#framing = 'length'
    else if (name === 'connection') this.isLast = true
    return `${name}: ${value}\r\n`
  }

  write(chunk: Uint8Array | string): boolean {
    this.#add(chunk)
    if (this.#waitingBytes >= FLUSH_BYTES) this.#flush()
    else if (this.#flushes === 'no') {
      this.#flushes = 'scheduled'
      process.nextTick(flushLater, this)
    }
    return !this.#socket.writableNeedDrain
  }

  end(chunk?: Uint8Array | string): void {
    if (this.writableEnded) return
    if (chunk !== undefined) this.#add(chunk)
    this.writableEnded = true
    this.#flush()
  }

  #add(chunk: Uint8Array | string): void {
    if (this.#framing === 'empty') return
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    this.#waiting.push(bytes)
    this.#waitingBytes += bytes.length
  }

  flush(): void {
    this.#flushes = 'no'
    if (this.#waitingBytes > 0 && !this.writableEnded) this.#flush()
  }

  #flush(): void {
    const head = this.#head
    const waiting = this.#waiting
    const bytes = this.#waitingBytes
    this.#head = ''
    this.#waiting = []
    this.#waitingBytes = 0
    const isChunked = this.#framing === 'chunked'
    const start = isChunked && bytes > 0 ? `${head}${bytes.toString(16)}\r\n` : head
    const tail = isChunked ? chunkTail(bytes > 0, this.writableEnded) : NOTHING
    if (tail.length > 0) waiting.push(tail)
    if (this.writableEnded) writeInTurn(this.#socket, start, waiting, (error) => this.#ended(error))
    else writeInTurn(this.#socket, start, waiting)
  }

  #ended(error: Error | null | undefined): void {
    this.#owner.replyFlushed(this)
    const onClose = this.#onClose
    // After an error the socket's own `close` tells.
    if (onClose === undefined || error instanceof Error) return
    this.#socket.off('close', onClose)
    onClose()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  once(event: 'drain' | 'close', listener: () => void): void {
    if (event === 'drain') this.#socket.once('drain', listener)
    else {
      // Whichever comes first: the end of the reply, or of its connection.
      this.#onClose = listener
      this.#socket.once('close', listener)
    }
  }
}

function flushLater(reply: PlainReply): void {
  reply.flush()
}

/** What follows a chunk, or ends a reply without one. */
function chunkTail(hasChunk: boolean, isEnd: boolean): Uint8Array {
  if (!hasChunk) return isEnd ? LAST_CHUNK : NOTHING
  return isEnd ? CRLF_LAST_CHUNK : CRLF
}

let dateSecond = 0
let dateText = ''

/** Node keeps the text of the Date header for a second as well. */
function httpDate(): string {
  const second = Math.floor(Date.now() / 1_000)
  if (second !== dateSecond) {
    dateSecond = second
    dateText = new Date(second * 1_000).toUTCString()
  }
  return dateText
}

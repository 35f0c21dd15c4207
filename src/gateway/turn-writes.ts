import type { Socket } from 'node:net'
import { performance } from 'node:perf_hooks'

/** What is larger goes out in pieces, uncopied. */
const COPY_BYTES = 32_768
/** What is larger waits for nothing: whoever reads from a provider must see at once that its client does not keep up. */
const WAITING_BYTES = 8_192

/** Where messages are put together. The kernel nearly always takes all of it at once; else it belongs to that write, and a new one is made. */
let scratch = Buffer.allocUnsafeSlow(COPY_BYTES)

type Written = (error: Error | null | undefined) => void

interface Message {
  readonly socket: Socket
  /** Latin-1. */
  readonly start: string
  readonly pieces: readonly Uint8Array[]
  readonly bytes: number
  readonly written: Written | undefined
}

const { nodeTiming } = performance
let lastTurn = -1
let waiting: Message[] = []

/**
 * Writes text and pieces as one message. Of small ones the first of a turn of the event loop leaves at once, the others together at
 * its end: a write that wakes a sleeping peer costs several times as much as one to a peer that is awake.
 * @param start latin1
 * @param written all of it is with the kernel
 */
export function writeInTurn(socket: Socket, start: string, pieces: readonly Uint8Array[], written?: Written): void {
  let bytes = start.length
  for (const piece of pieces) bytes += piece.length
  const message = { socket, start, pieces, bytes, written }
  if (bytes > WAITING_BYTES) {
    // Messages to a socket keep their order.
    writeWaiting()
    write(message)
    return
  }
  if (waiting.length === 0) {
    const turn = nodeTiming.uvMetricsInfo.loopCount
    if (turn !== lastTurn) {
      lastTurn = turn
      write(message)
      return
    }
    setImmediate(writeWaiting)
  }
  waiting.push(message)
}

/** Whether anything written to it has not left yet. */
export function isWaiting(socket: Socket): boolean {
  for (const message of waiting) if (message.socket === socket) return true
  return false
}

function writeWaiting(): void {
  const messages = waiting
  waiting = []
  for (const message of messages) write(message)
}

function write(message: Message): void {
  if (message.bytes > COPY_BYTES) writePieces(message)
  else writeCopy(message)
}

/** In one call of the system. */
function writeCopy({ socket, start, pieces, bytes, written }: Message): void {
  // TLS never takes all at once.
  const takesAll = socket.writableLength === 0 && !('encrypted' in socket)
  const target = takesAll ? scratch : Buffer.allocUnsafe(bytes)
  let end = target.write(start, 0, 'latin1')
  for (const piece of pieces) {
    target.set(piece, end)
    end += piece.length
  }
  if (written === undefined) socket.write(target.subarray(0, bytes))
  else socket.write(target.subarray(0, bytes), written)
  if (target === scratch && socket.writableLength > 0) scratch = Buffer.allocUnsafeSlow(COPY_BYTES)
}

function writePieces({ socket, start, pieces, written }: Message): void {
  const all = start === '' ? pieces : [Buffer.from(start, 'latin1'), ...pieces]
  const last = all.length - 1
  socket.cork()
  for (const [at, piece] of all.entries()) {
    if (at === last && written !== undefined) socket.write(piece, written)
    else socket.write(piece)
  }
  socket.uncork()
}

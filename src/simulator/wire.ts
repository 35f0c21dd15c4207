import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'

/** Where a reply goes: Node's own response, or the bare socket when a script breaks the protocol. */
export interface Wire {
  readonly socket: Socket
  head(status: number, headers: Readonly<Record<string, string>>): void
  /** Resolves when more may be written, or the client is gone. */
  write(bytes: Uint8Array): Promise<void>
  finish(): void
  /** Past every framing. Only the bare socket can do it. */
  raw(bytes: Uint8Array): Promise<void>
  /** From now on a write a byte. */
  splitBytes(): void
  headSent(): boolean
}

/** HTTP as it should be; connections are kept alive. */
export function responseWire(response: ServerResponse, socket: Socket): Wire {
  return {
    socket,
    head(status, headers) {
      response.writeHead(status, headers)
      response.flushHeaders()
    },
    async write(bytes) {
      if (!response.write(bytes)) await drained(response, socket)
    },
    finish: () => response.end(),
    raw: async (bytes) => {
      if (!socket.write(bytes)) await drained(socket, socket)
    },
    splitBytes: () => {},
    headSent: () => response.headersSent,
  }
}

/** The bare socket. The connection ends with the reply. */
export function socketWire(socket: Socket): Wire {
  let sent = false
  let chunked = false
  let single = false
  socket.setNoDelay(true)
  const put = async (bytes: Uint8Array) => {
    for (const piece of single ? [...bytes].map((byte) => Uint8Array.of(byte)) : [bytes]) {
      if (socket.destroyed || socket.writableEnded) return
      if (!socket.write(piece)) await drained(socket, socket)
      if (single) await nextTurn()
    }
  }
  let queue = Promise.resolve()
  const send = (bytes: Uint8Array) => {
    queue = queue.then(() => put(bytes))
    return queue
  }
  return {
    socket,
    head(status, headers) {
      sent = true
      chunked = headers['content-length'] === undefined && !('transfer-encoding' in headers)
      const lines = [
        ...Object.entries(headers),
        ...(chunked ? [['transfer-encoding', 'chunked']] : []),
        ['connection', 'close'],
      ]
      const text = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
      void send(Buffer.from(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n${text}\r\n`, 'latin1'))
    },
    write: (bytes) => send(chunked ? frameChunk(bytes) : bytes),
    finish() {
      if (chunked) void send(Buffer.from('0\r\n\r\n'))
      void queue.then(() => socket.end())
    },
    raw: send,
    splitBytes: () => {
      single = true
    },
    headSent: () => sent,
  }
}

function frameChunk(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')])
}

/** Until the peer has read, or is gone. */
function drained(stream: ServerResponse | Socket, socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done)
      socket.off('close', done)
      resolve()
    }
    stream.once('drain', done)
    socket.once('close', done)
    if (socket.destroyed) done()
  })
}

/** Waits; the end of the connection ends the wait. `Infinity` waits for just that. */
export function pauseOn(socket: Socket, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = ms === Number.POSITIVE_INFINITY ? undefined : setTimeout(done, ms)
    function done() {
      clearTimeout(timer)
      socket.off('close', done)
      resolve()
    }
    socket.once('close', done)
    if (socket.destroyed) done()
  })
}

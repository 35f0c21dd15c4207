import { connect, type Socket } from 'node:net'

export interface RawAnswer {
  readonly text: string
  /** `FIN`, `RST`, or `open` when the server kept the connection. */
  readonly end: 'FIN' | 'RST' | 'open'
  /** Number of separate reads. */
  readonly reads: number
}

/** The bytes of a chat request. */
export function chatRequest(model: string, { stream = true, headers = '' } = {}): string {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }], stream })
  return `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer sk-good\r\n${headers}content-length: ${body.length}\r\n\r\n${body}`
}

/** How long an open connection is watched after the last expected byte: more could still come, and should not. */
const WATCH_MS = 50

/** Sends the bytes and reads until the server ends the connection; with `until`, only until the text matches. */
export async function exchangeRaw(port: number, request: string, until?: RegExp): Promise<RawAnswer> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  const chunks: Buffer[] = []
  const text = () => Buffer.concat(chunks).toString()
  const ended = endOf(socket)
  const matched = new Promise<'open'>((resolve) => {
    const check = () => {
      if (until?.test(text()) === true) setTimeout(resolve, WATCH_MS, 'open')
    }
    socket.on('data', (chunk) => {
      chunks.push(chunk)
      check()
    })
    check()
  })
  socket.write(request)
  const end = await Promise.race([ended, matched])
  socket.destroy()
  return { text: text(), end, reads: chunks.length }
}

function endOf(socket: Socket): Promise<'FIN' | 'RST'> {
  return new Promise((resolve) => {
    socket.once('end', () => resolve('FIN'))
    socket.once('error', () => resolve('RST'))
  })
}

/** The payload of a chunked answer. */
export function dechunk(text: string): string {
  const body = text.slice(text.indexOf('\r\n\r\n') + 4)
  return body.replaceAll(/(?:^|\r\n)[0-9a-f]+\r\n/g, '').replace(/\r\n$/, '')
}

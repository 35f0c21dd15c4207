import { connect, type Socket } from 'node:net'

/** A reply as its bytes arrived, read without any HTTP client's kindness. */
export interface RawReply {
  /** 0: no status line came. */
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Everything that came, head included. */
  readonly text: string
  /** The other side ended the connection before the patience was over. */
  readonly closed: boolean
}

/** Resolves when the socket is connected. */
export function openSocket(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) })
    socket.once('connect', () => resolve(socket))
    socket.once('error', reject)
  })
}

/** Writes the bytes as they are and reads until the reply is whole, the connection ends, or `patienceMs` is over. */
export async function sendRaw(url: string, bytes: string | Uint8Array, patienceMs = 2_000): Promise<RawReply> {
  const socket = await openSocket(url)
  socket.on('error', () => {})
  socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  return readReply(socket, patienceMs)
}

/** Reads one reply from an open socket and destroys it. */
export function readReply(socket: Socket, patienceMs = 2_000): Promise<RawReply> {
  return new Promise((resolve) => {
    let text = ''
    const done = (closed: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ ...parseReply(text), closed })
    }
    const timer = setTimeout(() => done(false), patienceMs)
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (isWhole(text)) done(false)
    })
    socket.once('end', () => done(true))
    socket.once('close', () => done(true))
  })
}

function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return false
  const { headers, body } = parseReply(text)
  const length = headers['content-length']
  if (length !== undefined) return body.length >= Number(length)
  return headers['transfer-encoding'] === 'chunked' && body.endsWith('0\r\n\r\n')
}

function parseReply(text: string): Omit<RawReply, 'closed'> {
  const end = text.indexOf('\r\n\r\n')
  const [statusLine = '', ...lines] = (end === -1 ? text : text.slice(0, end)).split('\r\n')
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  )
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1] ?? 0),
    headers,
    body: end === -1 ? '' : text.slice(end + 4),
    text,
  }
}

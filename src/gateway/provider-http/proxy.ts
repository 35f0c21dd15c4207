import type { Socket } from 'node:net'
import { unescape as decoded } from 'node:querystring'
import type { ReplyHeaders } from '#providers/provider.ts'
import { MalformedReply, NoConnection } from './call-error.ts'
import { type Dial, type Dialed, destroyQuietly, type Encrypt } from './dial.ts'
import type { CallControl, ReplyTaker } from './provider-call.ts'
import { checkStart, HEAD_END, readReplyHead } from './reply-head.ts'

const REFUSED = 407

/** What a proxy asks its users for; empty where its URL has none. A percent sign that encodes nothing is one. */
export function proxyCredential({ username, password }: URL): readonly string[] {
  if (username === '' && password === '') return []
  const credential = Buffer.from(`${decoded(username)}:${decoded(password)}`)
  return ['proxy-authorization', `Basic ${credential.toString('base64')}`]
}

/**
 * TLS with a host behind a proxy.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6
 */
export function dialThrough(proxy: URL, target: URL, dialProxy: Dial, encrypt: Encrypt): Dial {
  const authority = target.port === '' ? `${target.hostname}:443` : target.host
  const [name, value] = proxyCredential(proxy)
  const credential = name === undefined ? '' : `${name}: ${value}\r\n`
  const request = `CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n${credential}\r\n`
  return (dialed) => {
    let giveUp = dialProxy((socket) => {
      if (socket instanceof Error) {
        dialed(socket)
        return
      }
      giveUp = openTunnel(socket, request, (tunnel) => {
        if (tunnel instanceof Error) dialed(tunnel)
        else giveUp = encrypt({ socket: tunnel }, dialed)
      })
    })
    return () => giveUp()
  }
}

function openTunnel(socket: Socket, request: string, dialed: Dialed): () => void {
  let start = Buffer.alloc(0)
  const settle = (result: Socket | Error): void => {
    socket.off('data', onData).off('error', onError).off('close', onClose)
    if (result instanceof Error) destroyQuietly(socket)
    dialed(result)
  }
  const onError = (cause: Error): void => settle(new NoConnection(cause.message, { cause }))
  const onClose = (): void => settle(new NoConnection('its proxy closed the connection'))
  const onData = (chunk: Buffer): void => {
    start = Buffer.concat([start, chunk])
    try {
      if (isOpen(start)) settle(socket.pause())
    } catch (cause) {
      settle(cause instanceof NoConnection ? cause : new NoConnection('its proxy speaks no HTTP', { cause }))
    }
  }
  socket.on('data', onData).on('error', onError).on('close', onClose)
  socket.write(request)
  return () => {
    socket.off('data', onData).off('error', onError).off('close', onClose)
    destroyQuietly(socket)
  }
}

/** @throws NoConnection, MalformedReply */
function isOpen(start: Buffer): boolean {
  const end = start.indexOf(HEAD_END)
  checkStart(start, end)
  if (end === -1) return false
  const { status } = readReplyHead(start.toString('latin1', 0, end), 'CONNECT')
  if (status < 200 || status > 299) throw new NoConnection(`its proxy answered ${status}`)
  // With TLS the client speaks first.
  if (start.length > end + HEAD_END.length) throw new MalformedReply('it says more than that the tunnel is open')
  return true
}

/** Takes the reply to a call that a proxy forwards: what the proxy itself refuses is no reply of the provider. */
export class ForwardedReply implements ReplyTaker {
  readonly #taker: ReplyTaker
  #control: CallControl | undefined

  constructor(taker: ReplyTaker) {
    this.#taker = taker
  }

  begun(control: CallControl): void {
    this.#control = control
    this.#taker.begun(control)
  }

  head(status: number, headers: ReplyHeaders): void {
    if (status === REFUSED) this.#control?.abort(new NoConnection(`its proxy answered ${REFUSED}`))
    else this.#taker.head(status, headers)
  }

  data(chunk: Buffer): void {
    this.#taker.data(chunk)
  }

  ended(): void {
    this.#taker.ended()
  }

  failed(error: Error): void {
    this.#taker.failed(error)
  }
}

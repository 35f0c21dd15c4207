import { connect, isIP, type LookupFunction, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { ConnectTimeout, NoConnection } from './call-error.ts'

/** Told once, never before the dialling function returns: a connection, or why there is none. */
export type Dialed = (result: Socket | Error) => void
/** Begins to make a connection. What it returns gives up; then nobody is told. */
export type Dial = (dialed: Dialed) => () => void

export interface DialOptions {
  /** Resolves a name to addresses that may be dialled. */
  readonly lookup: LookupFunction
  /** All authorities to trust, instead of Node's own. */
  readonly ca: readonly string[] | undefined
}

/** The kernel asks a silent peer after this time whether it is still there. */
const PROBE_AFTER_MS = 60_000

/** Dials the host of a URL, with TLS if its scheme wants it. */
export function dialHost(url: URL, { lookup, ca }: DialOptions): Dial {
  const isTls = url.protocol === 'https:'
  const port = Number(url.port) || (isTls ? 443 : 80)
  const address = { host: hostOf(url), port, lookup }
  if (!isTls) return (dialed) => whenReady(connect(address), 'connect', dialed)
  const encrypt = encryption(url, ca)
  return (dialed) => encrypt(address, dialed)
}

export type Encrypt = (over: ConnectionOptions, dialed: Dialed) => () => void

/** Agrees on TLS with the host of a URL; a later connection takes up the session of an earlier one. */
export function encryption(url: URL, ca: DialOptions['ca']): Encrypt {
  const host = hostOf(url)
  // A name of the certificate; an address is none.
  const name = isIP(host) === 0 ? { servername: host } : {}
  const trust = ca === undefined ? {} : { ca: [...ca] }
  let session: Buffer | undefined
  return (over, dialed) => {
    const known = session === undefined ? {} : { session }
    const socket = connectTls({ host, ...over, ...name, ...trust, ...known, ALPNProtocols: ['http/1.1'] })
    socket.on('session', (latest) => {
      session = latest
    })
    return whenReady(socket, 'secureConnect', dialed)
  }
}

function whenReady(socket: Socket, event: 'connect' | 'secureConnect', dialed: Dialed): () => void {
  const settle = (result: Socket | Error): void => {
    socket.off('error', onError).off('close', onClose).off(event, onReady)
    if (result instanceof Error) destroyQuietly(socket)
    dialed(result)
  }
  const onReady = (): void => settle(socket)
  const onError = (cause: Error): void => settle(new NoConnection(cause.message, { cause }))
  const onClose = (): void => settle(new NoConnection('closed'))
  socket.on('error', onError).on('close', onClose).on(event, onReady)
  socket.setNoDelay(true).setKeepAlive(true, PROBE_AFTER_MS)
  return () => {
    socket.off('error', onError).off('close', onClose).off(event, onReady)
    destroyQuietly(socket)
  }
}

/** Whoever waited for it has heard, or does not want to. */
export function destroyQuietly(socket: Socket): void {
  socket.on('error', () => {})
  socket.destroy()
}

/** The same, given up after a while. */
export function within(ms: number, dial: Dial): Dial {
  return (dialed) => {
    const giveUp = dial((result) => {
      clearTimeout(timer)
      dialed(result)
    })
    const timer = setTimeout(() => {
      giveUp()
      dialed(new ConnectTimeout(`no connection after ${ms} ms`))
    }, ms)
    return () => {
      clearTimeout(timer)
      giveUp()
    }
  }
}

/** An address of IPv6 without its brackets. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '')
}

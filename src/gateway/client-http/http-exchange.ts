import type { IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'

/** What the pipeline needs of a client's request. Node's IncomingMessage is one. */
export interface HttpRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  /** Lower-case names. */
  readonly headers: IncomingHttpHeaders
  readonly socket: Socket
  /** The whole body has come. */
  readonly complete: boolean
  /** A chunk that is not the whole body must be copied: its memory is given back when the listener returns. */
  on(event: 'data', listener: (chunk: Buffer) => void): unknown
  on(event: 'end', listener: () => void): unknown
  removeAllListeners(event: 'data'): unknown
}

/** What the pipeline needs to answer. Node's ServerResponse is one. */
export interface HttpReply {
  readonly destroyed: boolean
  readonly writableEnded: boolean
  /** Bytes that the kernel has not taken yet. */
  readonly writableLength: number
  readonly writableNeedDrain: boolean
  /** @param headers flat, names in lower case @throws TypeError for a header that cannot be sent; then nothing has been */
  writeHead(status: number, headers: string[]): unknown
  write(chunk: Uint8Array | string): boolean
  end(chunk?: Uint8Array | string): unknown
  destroy(): unknown
  once(event: 'drain' | 'close', listener: () => void): unknown
}

import { MalformedReply } from '#gateway/provider-http/call-error.ts'
import type { ReplyTaker } from '#gateway/provider-http/provider-call.ts'
import { ReplyReader } from '#gateway/provider-http/reply-reader.ts'

export interface Read {
  readonly status: number
  /** `name: value`, or `name: [value, value]` for what came several times. */
  readonly headers: readonly string[]
  /** Latin-1. */
  readonly body: string
  /** `whole`, `open` while more is missing, `lost` for one that the end of the connection cut, or why it is refused. */
  readonly end: string
  /** What came after it; Latin-1. */
  readonly rest: string
}

export interface Reading {
  readonly method?: string
  /** The provider closes its side behind the last piece. */
  readonly closes?: boolean
}

/** Reads one reply that comes in these pieces; nothing is read after its end, as a connection does. */
export function readReply(pieces: readonly string[], { method = 'GET', closes = false }: Reading = {}): Read {
  const seen = { status: 0, headers: [] as readonly string[], body: '' }
  const reader = new ReplyReader(method, takerOf(seen))
  let rest = ''
  try {
    for (const piece of pieces) {
      const bytes = Buffer.from(piece, 'latin1')
      if (reader.isWhole) rest += piece
      else rest += reader.read(bytes)?.toString('latin1') ?? ''
    }
    const isLost = closes && !reader.isWhole && !reader.endOfConnection()
    const end = reader.isWhole ? 'whole' : 'open'
    return { ...seen, rest, end: isLost ? 'lost' : end }
  } catch (error) {
    if (error instanceof MalformedReply) return { ...seen, rest, end: error.message }
    throw error
  }
}

function takerOf(seen: { status: number; headers: readonly string[]; body: string }): ReplyTaker {
  return {
    begun() {},
    head(status, headers) {
      seen.status = status
      seen.headers = Object.entries(headers).map(([name, value]) =>
        typeof value === 'string' ? `${name}: ${value}` : `${name}: [${(value ?? []).join(', ')}]`,
      )
    },
    data(chunk) {
      seen.body += chunk.toString('latin1')
    },
    ended() {},
    failed() {},
  }
}

export function inBytes(text: string): string[] {
  return [...text]
}

export function cutAt(text: string, at: number): string[] {
  return [text.slice(0, at), text.slice(at)].filter((piece) => piece !== '')
}

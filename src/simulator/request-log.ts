import { maskKey } from './credential.ts'

/** One request as it arrived. Bytes and headers are the client's own, credentials included: it is for tests, never for a log. */
export interface RecordedRequest {
  /** Counted from 1. */
  readonly id: number
  /** Milliseconds since the epoch, by the simulator's clock. */
  readonly receivedAtMs: number
  readonly method: string
  /** With the query. */
  readonly path: string
  /** Names in lower case; repeated headers are joined by `, `. */
  readonly headers: Readonly<Record<string, string>>
  /** In the order and case of the wire: name, value, name, value … */
  readonly rawHeaders: readonly string[]
  body: Uint8Array
  key: string | undefined
  model: string | undefined
  /** Of the reply; `undefined` until a head was sent. */
  status: number | undefined
  /** The client went away before the reply had ended. */
  closedByClient: boolean
  closedAtMs: number | undefined
}

export interface KeyStats {
  requests: number
  /** Replies by status; `none` counts those without a head. */
  statuses: Record<string, number>
}

export interface RequestLog {
  open(request: Pick<RecordedRequest, 'receivedAtMs' | 'method' | 'path' | 'headers' | 'rawHeaders'>): RecordedRequest
  /** The key becomes known after routing. */
  countKey(request: RecordedRequest, key: string | undefined): void
  /** The reply is over, one way or another. */
  settle(request: RecordedRequest): void
  list(): readonly RecordedRequest[]
  stats(): { readonly total: number; readonly inFlight: number; readonly keys: Readonly<Record<string, KeyStats>> }
  reset(): void
}

const MAX_KEPT_BYTES = 256 * 1024 * 1024

/** Keeps the newest `limit` requests, at most 256 MiB of bodies (the oldest bodies go first); the counts cover all. */
export function createRequestLog(limit: number): RequestLog {
  let entries: RecordedRequest[] = []
  let total = 0
  let inFlight = 0
  let keptBytes = 0
  let keys: Record<string, KeyStats> = {}
  const statsOf = (key: string | undefined) => {
    const label = key === undefined ? '(none)' : maskKey(key)
    keys[label] ??= { requests: 0, statuses: {} }
    return keys[label]
  }
  return {
    open(request) {
      total += 1
      inFlight += 1
      const entry: RecordedRequest = {
        ...request,
        id: total,
        body: new Uint8Array(),
        key: undefined,
        model: undefined,
        status: undefined,
        closedByClient: false,
        closedAtMs: undefined,
      }
      entries.push(entry)
      if (entries.length > limit * 2) {
        for (const dropped of entries.slice(0, -limit)) keptBytes -= dropped.body.length
        entries = entries.slice(-limit)
      }
      return entry
    },
    countKey(request, key) {
      request.key = key
      statsOf(key).requests += 1
    },
    settle(request) {
      inFlight -= 1
      const { statuses } = statsOf(request.key)
      const label = String(request.status ?? 'none')
      statuses[label] = (statuses[label] ?? 0) + 1
      keptBytes += request.body.length
      for (const entry of keptBytes > MAX_KEPT_BYTES ? entries : []) {
        if (keptBytes <= MAX_KEPT_BYTES / 2) break
        keptBytes -= entry.body.length
        entry.body = new Uint8Array()
      }
    },
    list: () => entries.slice(-limit),
    stats: () => ({ total, inFlight, keys: structuredClone(keys) }),
    reset() {
      entries = []
      keptBytes = 0
      total = 0
      keys = {}
    },
  }
}

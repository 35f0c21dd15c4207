import { decimalUsd } from './decimal-usd.ts'
import { isAlike, type RequestEvent } from './request-event.ts'

/** One line of the access log. Empty text where something does not apply, null where it is not known. */
export interface AccessLine {
  /** RFC 3339, UTC; arrival of the request. */
  readonly time: string
  readonly correlationId: string
  readonly tenant: string
  /** Name of the GatewayClient. */
  readonly client: string
  readonly profile: string
  readonly group: string
  readonly provider: string
  readonly account: string
  readonly model: string
  readonly requestedModel: string
  readonly type: string
  readonly format: string
  readonly stream: boolean
  readonly status: number
  readonly errorCode: string
  readonly truncated: boolean
  readonly attempts: number
  readonly inputTokens: number | null
  readonly cachedInputTokens: number | null
  readonly outputTokens: number | null
  /** US dollars, decimal text. */
  readonly cost: string | null
  readonly latencyMs: number
  readonly firstTokenMs: number | null
}

/** Longer names are no model's, and a client may send megabytes of them. */
const MAX_NAME_LENGTH = 256

/** Text that JSON writes as it is. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/

/** The middle of a line: names, which are the same from request to request. */
interface Names {
  readonly of: RequestEvent
  readonly text: string
}

/**
 * Writes `AccessLine`s as JSON, each with its line end. Piece by piece, and what stays the same is kept: making an object for
 * `JSON.stringify` costs several times as much.
 */
export class AccessLineWriter {
  /** By account. */
  readonly #names = new Map<string, Names>()
  #second = 0
  #secondText = ''

  write(event: RequestEvent): string {
    const { usage, costPicoUsd, firstTokenMs } = event
    const cost = costPicoUsd === undefined ? null : `"${decimalUsd(costPicoUsd)}"`
    const firstToken = firstTokenMs === undefined ? null : Math.round(firstTokenMs)
    const begin = `{"time":"${this.#time(event.startedAtMs)}","correlationId":${quoted(event.correlationId)}${this.#namesOf(event)}`
    const end = `,"status":${event.status},"errorCode":"${event.errorCode}","truncated":${event.truncated},"attempts":${event.attempts.length}`
    const tokens = `,"inputTokens":${usage?.input ?? null},"cachedInputTokens":${usage?.cachedInput ?? null},"outputTokens":${usage?.output ?? null}`
    return `${begin}${end}${tokens},"cost":${cost},"latencyMs":${Math.round(event.durationMs)},"firstTokenMs":${firstToken}}\n`
  }

  #time(atMs: number): string {
    const second = Math.floor(atMs / 1_000)
    if (second !== this.#second) {
      this.#second = second
      this.#secondText = new Date(second * 1_000).toISOString().slice(0, -4)
    }
    return `${this.#secondText}${String(atMs - second * 1_000).padStart(3, '0')}Z`
  }

  #namesOf(event: RequestEvent): string {
    const known = this.#names.get(event.account)
    if (known !== undefined && isAlike(known.of, event)) return known.text
    const text = namesText(event)
    if (this.#names.size >= MOST_NAMES) this.#names.clear()
    this.#names.set(event.account, { of: event, text })
    return text
  }
}

const MOST_NAMES = 1_000

function namesText(event: RequestEvent): string {
  const names = {
    tenant: event.tenant,
    client: event.client,
    profile: event.profile,
    group: event.group,
    provider: event.provider,
    account: event.account,
    model: event.model.slice(0, MAX_NAME_LENGTH),
    requestedModel: event.requestedModel.slice(0, MAX_NAME_LENGTH),
    type: event.requestType,
    format: event.format,
    stream: event.stream,
  }
  return `,${JSON.stringify(names).slice(1, -1)}`
}

function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text)
}

import { MALFORMATIONS, type Script } from './script.ts'

const SLOW_MS = 2000
/** A reset makes the reader's kernel drop what it has not read yet: let it read first. */
const SETTLE_MS = 30

/** Scripts by name; `model--name`, `x-mock-script: name` and the control endpoint all take them. */
const SCENARIOS: Readonly<Record<string, Script>> = {
  quota: [{ failure: { kind: 'quota' } }],
  toolong: [{ failure: { kind: 'context_length' } }],
  blocked: [{ reply: { finish: 'blocked' } }],
  refused: [{ failure: { kind: 'content_filter' } }],
  filter: [{ reply: { finish: 'filter' } }],
  length: [{ reply: { finish: 'length' } }],
  nocontent: [{ reply: { content: 'empty' } }],
  // before headers
  reset: [{ reset: true }],
  fin: [{ close: true }],
  hang: [{ hang: true }],
  noanswer: [{ hang: true }],
  late: [{ sleep: SLOW_MS }, { reply: {} }],
  // headers, then trouble
  silent: [{ reply: { events: 0 } }, { hang: true }],
  silentstart: [{ reply: { events: 0, start: true } }, { hang: true }],
  starterror: [{ reply: { events: 0, start: true } }, { errorEvent: { kind: 'overloaded' } }],
  error200: [{ errorEvent: { kind: 'server_error' } }],
  // in the middle
  stall: [{ reply: { events: 2 } }, { hang: true }],
  cut: [{ reply: { events: 2 } }, { sleep: SETTLE_MS }, { close: true }],
  cutreset: [{ reply: { events: 2 } }, { sleep: SETTLE_MS }, { reset: true }],
  halfclose: [{ reply: { events: 2 } }, { halfClose: true }],
  garbage: [{ reply: { events: 2 } }, { raw: '\u0000garbage\r\n' }, { close: true }],
  broken: [{ reply: { broken: true } }],
  errorevent: [{ reply: { events: 2 } }, { errorEvent: { kind: 'overloaded' } }],
  failedevent: [{ reply: { events: 2 } }, { errorEvent: { kind: 'server_error', form: 'failed' } }],
  // at the end
  cleancut: [{ reply: { omit: 'finish' } }],
  noterm: [{ reply: { omit: 'terminator' } }],
  stale: [{ reply: {} }, { closeIdle: 0 }],
  // while the body is still coming
  early401: [{ early: true }, { failure: { status: 401 } }, { close: true }],
  early413: [{ early: true }, { failure: { status: 413 } }, { close: true }],
  early500: [{ early: true }, { failure: { status: 500 } }, { close: true }],
  onebyte: [{ oneByte: true }, { reply: {} }],
  truncate: [{ truncate: 10 }],
}

const SSE_VARIANTS = [
  'cr',
  'crlf',
  'bom',
  'comments',
  'multi-line',
  'long-line',
  'no-last-blank',
  'after-end',
  'unknown-event',
  'no-space',
] as const

/** The script of that name; `slow500` is 500 ms before the first event, `429r30` has a `Retry-After` of 30 seconds. */
export function scenarioOf(name: string): Script | undefined {
  if (Object.hasOwn(SCENARIOS, name)) return SCENARIOS[name]
  const [, status, retry] = /^([345]\d\d)(?:r(\d+))?$/.exec(name) ?? []
  if (status !== undefined) {
    const retryAfterS = retry === undefined ? undefined : Number(retry)
    return [{ failure: { status: Number(status), retryAfterS } }]
  }
  const [, verb, amount] = /^(slow|late)(\d*)$/.exec(name) ?? []
  if (verb !== undefined) {
    const sleep = amount === undefined || amount === '' ? SLOW_MS : Number(amount)
    return verb === 'late' ? [{ sleep }, { reply: {} }] : [{ reply: { events: 0 } }, { sleep }, { reply: {} }]
  }
  const malformed = MALFORMATIONS.find((kind) => kind === name)
  if (malformed !== undefined) return [{ malformed }]
  const sse = SSE_VARIANTS.find((variant) => `sse-${variant}` === name)
  return sse === undefined ? undefined : [{ reply: { sse } }]
}

/** What the tokens after `--` ask for. */
export interface TokenOrders {
  /** The first token that names a scenario. */
  readonly scenario?: { readonly token: string; readonly times: number | undefined; readonly script: Script }
  readonly chunks?: number
  readonly gapMs?: number
}

/** `gpt-4o--429x2--chunks50--gap20`: everything after the first `--`; `x2` limits a scenario to the first two requests. */
export function readTokens(name: string): TokenOrders {
  const orders: { -readonly [K in keyof TokenOrders]: TokenOrders[K] } = {}
  for (const token of name.split('--').slice(1)) {
    const [, setting, value] = /^(chunks|gap)(\d+)$/.exec(token) ?? []
    if (setting === 'chunks') orders.chunks = Number(value)
    if (setting === 'gap') orders.gapMs = Number(value)
    const [, plain = token, times] = /^(.+?)x(\d+)$/.exec(token) ?? []
    const script = setting === undefined ? scenarioOf(plain) : undefined
    if (script !== undefined && orders.scenario === undefined) {
      orders.scenario = { token, times: times === undefined ? undefined : Number(times), script }
    }
  }
  return orders
}

/** The part a provider knows the model by. */
export function plainName(name: string): string {
  return name.split('--')[0] ?? name
}

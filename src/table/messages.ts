import { HIGH_WATER_SHAPE, type HighWater } from './high-water.ts'
import { describeFault, flag, integer, listOf, objectOf, oneOf, type Shape, taggedBy, text } from './shape.ts'
import { matching, VERSION_PATTERN } from './snapshot.ts'

/** What controllers and gateways tell each other, each checked where it arrives. */

/** There is a table to run. Also the answer of `current`. */
export interface SnapshotNotice {
  readonly version: string
  /** All sections, bytes. */
  readonly size: number
  /** Something that an operator does in anger: nothing may delay it. */
  readonly urgent: boolean
  /** How new the objects are that it was compiled from. */
  readonly highWater: HighWater
  /** `Never`: it replaces the table at hand even if that one is newer: a canary is taken back. */
  readonly ignoreWhenOlder: 'Always' | 'Never'
}

/** The controller goes: come back, to any other. */
export interface DrainNotice {
  /** Spread the reconnects over this time. */
  readonly reconnectWithinMs: number
}

export type LogLevelName = 'debug' | 'info' | 'warn' | 'error'

export type GatewayCommand =
  /** Without an account all of the tenant, without a tenant all. */
  | { readonly kind: 'health-reset'; readonly tenant?: string; readonly account?: string }
  | { readonly kind: 'log-level'; readonly component: string; readonly level: LogLevelName }
  /** Acknowledge and report now: who listens has changed. */
  | { readonly kind: 'report' }

export type StreamEvent =
  | { readonly event: 'snapshot'; readonly data: SnapshotNotice }
  | { readonly event: 'drain'; readonly data: DrainNotice }
  | { readonly event: 'command'; readonly data: GatewayCommand }

export interface Diagnostic {
  /** e.g. `RoutingProfile/default/work`, or the section. */
  readonly ref: string
  readonly path: string
  readonly severity: 'warning' | 'error'
  /** KP code. */
  readonly code: string
  readonly message: string
}

export interface GatewayAck {
  /** Pod. */
  readonly gateway: string
  /** New with every start of the process. */
  readonly bootId: string
  readonly version: string
  readonly result: 'ACK' | 'NACK'
  /** Version of the program. */
  readonly image: string
  /** Table formats that it reads. */
  readonly formats: readonly number[]
  readonly diagnostics: readonly Diagnostic[]
}

/** An account that is not available, or was not at some time, or has failed. Times are Unix time, ms. */
export interface AccountReport {
  readonly tenant: string
  readonly account: string
  readonly state: 'available' | 'rate_limited' | 'erroring' | 'disabled'
  readonly sinceMs: number
  /** When it is tried again. */
  readonly untilMs?: number
  readonly lastError?: { readonly code: string; readonly message: string; readonly atMs: number }
}

export interface GatewayReport {
  readonly gateway: string
  readonly bootId: string
  /** The table that serves; absent before the first. */
  readonly version?: string
  /** Unix time, ms. */
  readonly startedAtMs: number
  /** Accounts that are not named have been available since the start, and never failed. */
  readonly accounts: readonly AccountReport[]
  /** Requests since the process began, and those that ended in a 5xx. */
  readonly requests: number
  readonly failures: number
}

const MAX_ACCOUNTS = 20_000
const name = text({ minLength: 1, maxLength: 253 })
const word = text({ minLength: 1, maxLength: 64 })
const code = matching(/^KP-[A-Z]+-\d{3}$/, 'a KP code')
const version = matching(VERSION_PATTERN, 'a version')

const NOTICE_SHAPE = objectOf<SnapshotNotice>(
  {
    version,
    size: integer(0),
    urgent: flag(),
    highWater: HIGH_WATER_SHAPE,
    ignoreWhenOlder: oneOf('Always', 'Never'),
  },
  {},
)
const DRAIN_SHAPE = objectOf<DrainNotice>({ reconnectWithinMs: integer(0, 600_000) }, {})
const COMMAND_SHAPE = taggedBy('kind', {
  'health-reset': objectOf<Extract<GatewayCommand, { kind: 'health-reset' }>>(
    { kind: word },
    { tenant: name, account: name },
  ),
  'log-level': objectOf<Extract<GatewayCommand, { kind: 'log-level' }>>(
    { kind: word, component: word, level: oneOf('debug', 'info', 'warn', 'error') },
    {},
  ),
  report: objectOf<Extract<GatewayCommand, { kind: 'report' }>>({ kind: word }, {}),
})
const ACK_SHAPE = objectOf<GatewayAck>(
  {
    gateway: name,
    bootId: word,
    version,
    result: oneOf('ACK', 'NACK'),
    image: text({ maxLength: 253 }),
    formats: listOf(integer(1, 1_000_000), 8),
    diagnostics: listOf(
      objectOf<Diagnostic>(
        {
          ref: text({ maxLength: 600 }),
          path: text({ maxLength: 600 }),
          severity: oneOf('warning', 'error'),
          code,
          message: text({ maxLength: 1_024 }),
        },
        {},
      ),
      64,
    ),
  },
  {},
)
const REPORT_SHAPE = objectOf<GatewayReport>(
  {
    gateway: name,
    bootId: word,
    startedAtMs: integer(0),
    accounts: listOf(
      objectOf<AccountReport>(
        {
          tenant: name,
          account: name,
          state: oneOf('available', 'rate_limited', 'erroring', 'disabled'),
          sinceMs: integer(0),
        },
        {
          untilMs: integer(0),
          lastError: objectOf<NonNullable<AccountReport['lastError']>>(
            { code, message: text({ maxLength: 1_024 }), atMs: integer(0) },
            {},
          ),
        },
      ),
      MAX_ACCOUNTS,
    ),
    requests: integer(0),
    failures: integer(0),
  },
  { version },
)

/** A message, or a sentence on what is wrong with it. */
export type Received<Message> = { readonly message: Message } | { readonly fault: string }

export function readNotice(value: unknown): Received<SnapshotNotice> {
  return receive<SnapshotNotice>(NOTICE_SHAPE, value)
}

export function readAck(value: unknown): Received<GatewayAck> {
  return receive<GatewayAck>(ACK_SHAPE, value)
}

export function readReport(value: unknown): Received<GatewayReport> {
  return receive<GatewayReport>(REPORT_SHAPE, value)
}

/** Undefined for an event that this program does not know: newer controllers may send more. */
export function readStreamEvent(event: string, value: unknown): Received<StreamEvent> | undefined {
  switch (event) {
    case 'snapshot':
      return inEvent(event, readNotice(value))
    case 'drain':
      return inEvent(event, receive<DrainNotice>(DRAIN_SHAPE, value))
    case 'command':
      return inEvent(event, receive<GatewayCommand>(COMMAND_SHAPE, value))
    default:
      return undefined
  }
}

function inEvent(event: StreamEvent['event'], received: Received<StreamEvent['data']>): Received<StreamEvent> {
  if ('fault' in received) return { fault: `${event}: ${received.fault}` }
  // The caller pairs event and data.
  return { message: { event, data: received.message } as StreamEvent }
}

function receive<Message>(shape: Shape, value: unknown): Received<Message> {
  const fault = shape(value)
  // The shape is that of the message.
  return fault === undefined ? { message: value as Message } : { fault: describeFault(fault) }
}

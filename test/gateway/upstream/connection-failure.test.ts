import t from 'tap'
import {
  ConnectionLost,
  ConnectTimeout,
  MalformedReply,
  NoConnection,
  UnsendableRequest,
} from '#gateway/provider-http/call-error.ts'
import { connectionFailure } from '#gateway/upstream/connection-failure.ts'

const CONNECT_MS = 1_000

function failureOf(error: Error) {
  const { code, outcome, details } = connectionFailure(error, CONNECT_MS)
  return { code, outcome, details }
}

/** As the system gives them. */
function systemError(code: string): Error {
  return Object.assign(new Error(`connect ${code} 127.0.0.1:1`), { code })
}

function notConnected(cause: Error): Error {
  return new NoConnection(cause.message, { cause })
}

const UNREACHED = { kind: 'network', phase: 'connect' } as const

t.test('a request that cannot be sent is no fault of the provider', (t) => {
  const { code, outcome } = failureOf(new UnsendableRequest('header a cannot be sent'))
  t.equal(code, 'KP-SYS-500')
  t.strictSame(outcome, UNREACHED, 'nothing was sent, so another account may be asked')
  t.end()
})

t.test('a reply that breaks HTTP is one', (t) => {
  const { code, outcome, details } = failureOf(new MalformedReply('its status line is none'))
  t.equal(code, 'KP-NET-308')
  t.strictSame(outcome, { kind: 'bad-reply' })
  t.strictSame(details, { reason: 'its status line is none' })
  t.end()
})

t.test('no connection: the code says what kind of fault it was', (t) => {
  const cases: readonly (readonly [Error, string, string])[] = [
    [systemError('ECONNREFUSED'), 'KP-NET-300', 'ECONNREFUSED'],
    [systemError('ENOTFOUND'), 'KP-NET-300', 'ENOTFOUND'],
    [systemError('ECONNRESET'), 'KP-NET-300', 'ECONNRESET'],
    [systemError('EPROTO'), 'KP-NET-306', 'EPROTO'],
    [systemError('CERT_HAS_EXPIRED'), 'KP-NET-306', 'CERT_HAS_EXPIRED'],
    [systemError('DEPTH_ZERO_SELF_SIGNED_CERT'), 'KP-NET-306', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    [new AggregateError([systemError('EHOSTUNREACH'), systemError('ENETUNREACH')]), 'KP-NET-300', 'EHOSTUNREACH'],
    [new Error('no address for example.com'), 'KP-NET-300', 'no address for example.com'],
  ]
  for (const [cause, code, reason] of cases) {
    t.strictSame(failureOf(notConnected(cause)), { code, outcome: UNREACHED, details: { reason } }, reason)
  }
  t.end()
})

t.test("no connection in time, by our clock or the kernel's", (t) => {
  const expected = {
    code: 'KP-NET-301',
    outcome: { kind: 'timed-out', phase: 'connect' },
    details: { limit: CONNECT_MS },
  }
  t.strictSame(failureOf(new ConnectTimeout('no connection after 1000 ms')), expected)
  t.strictSame(failureOf(notConnected(systemError('ETIMEDOUT'))), expected)
  t.strictSame(failureOf(notConnected(new AggregateError([systemError('ETIMEDOUT')]))), expected)
  t.end()
})

t.test('a connection that is lost under a call says why', (t) => {
  const outcome = { kind: 'network', phase: 'reset' }
  t.strictSame(failureOf(new ConnectionLost('ECONNRESET', false)), {
    code: 'KP-NET-305',
    outcome,
    details: { reason: 'ECONNRESET' },
  })
  t.strictSame(failureOf(systemError('ETIMEDOUT')), {
    code: 'KP-NET-305',
    outcome,
    details: { reason: 'connect ETIMEDOUT 127.0.0.1:1' },
  })
  t.end()
})

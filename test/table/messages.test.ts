import t from 'tap'
import { isOlder } from '../../src/table/high-water.ts'
import { readAck, readNotice, readReport, readStreamEvent } from '../../src/table/messages.ts'
import { readSnapshotText, writeSnapshotText } from '../../src/table/snapshot-text.ts'

const VERSION = `sha256:${'0'.repeat(64)}`
const ACK = { gateway: 'g', bootId: 'b', version: VERSION, result: 'ACK', image: '1', formats: [1], diagnostics: [] }
const NOTICE = { version: VERSION, size: 1, urgent: false, highWater: { Kind: '7' }, ignoreWhenOlder: 'Always' }
const REPORT = { gateway: 'g', bootId: 'b', startedAtMs: 1, accounts: [], requests: 0, failures: 0 }

t.test('messages that are what they should be are taken', async (t) => {
  t.strictSame(readAck(ACK), { message: ACK })
  t.strictSame(readNotice(NOTICE), { message: NOTICE })
  t.strictSame(readReport(REPORT), { message: REPORT })
  t.strictSame(readStreamEvent('drain', { reconnectWithinMs: 5 }), {
    message: { event: 'drain', data: { reconnectWithinMs: 5 } },
  })
})

t.test('anything else is refused with the field that is wrong', async (t) => {
  const table: readonly [unknown, string][] = [
    [readAck(null), 'is null, not an object'],
    [readAck({ ...ACK, version: 'latest' }), 'version is not a version'],
    [readAck({ ...ACK, result: 'MAYBE' }), 'result is none of ACK, NACK'],
    [readAck({ ...ACK, gateway: ' ' }), 'gateway is blank'],
    [readAck({ ...ACK, formats: ['1'] }), 'formats[0] is not a whole number'],
    [readAck({ ...ACK, diagnostics: Array(65).fill({}) }), 'diagnostics has more than 64 items'],
    [readNotice({ ...NOTICE, size: -1 }), 'size is not within 0 and 9007199254740991'],
    [readNotice({ ...NOTICE, highWater: { Kind: 'x' } }), 'highWater.Kind is not a resourceVersion'],
    [readReport({ ...REPORT, accounts: [{ tenant: 't' }] }), 'accounts[0].account is missing'],
    [readReport({ ...REPORT, requests: Number.POSITIVE_INFINITY }), 'requests is not a whole number'],
    [readStreamEvent('command', { kind: 'shutdown' }), 'command: kind is none of health-reset, log-level, report'],
    [readStreamEvent('snapshot', []), 'snapshot: is not an object'],
  ]
  for (const [received, fault] of table) t.strictSame(received, { fault })
})

t.test('an event of a newer controller is left alone', async (t) => {
  t.equal(readStreamEvent('party', {}), undefined)
})

t.test('R4.2 a table is older when it is behind in some kind and ahead in none', async (t) => {
  t.equal(isOlder({ a: '9', b: '5' }, { a: '10', b: '5' }), true)
  t.equal(isOlder({ a: '10', b: '5' }, { a: '10', b: '5' }), false)
  t.equal(isOlder({ a: '9', b: '6' }, { a: '10', b: '5' }), false, 'neither')
  t.equal(isOlder({ a: '18446744073709551614' }, { a: '18446744073709551615' }), true, 'larger than a double holds')
  t.equal(isOlder({}, { a: '1' }), false, 'nothing is known')
})

t.test('R4.5 a kept snapshot that was cut short is none', async (t) => {
  const digest = { sha256: '0'.repeat(64), size: 2 }
  const manifest = { format: 1, version: VERSION, sections: { core: digest, clients: digest, credentials: digest } }
  const text = writeSnapshotText(
    { manifest, texts: { core: '{"a":1}', clients: '{}', credentials: '{}' } },
    { Kind: '3' },
  )
  t.strictSame(readSnapshotText(text), {
    manifest,
    texts: { core: '{"a":1}', clients: '{}', credentials: '{}' },
    highWater: { Kind: '3' },
  })
  for (const broken of [
    '',
    'null',
    text.slice(0, 50),
    text.split('\n').slice(0, 2).join('\n'),
    text.replace('"3"', '3'),
  ]) {
    t.equal(readSnapshotText(broken), undefined)
  }
})

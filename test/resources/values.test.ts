import t from 'tap'
import { parseDecimal } from '../../src/resources/decimal.ts'
import { parseDuration } from '../../src/resources/duration.ts'
import { formatFieldPath, parseFieldPath } from '../../src/resources/field-path.ts'
import { parseByteQuantity } from '../../src/resources/quantity.ts'

t.test('durations are milliseconds', (t) => {
  t.equal(parseDuration('500ms'), 500)
  t.equal(parseDuration('30s'), 30_000)
  t.equal(parseDuration('5m'), 300_000)
  t.equal(parseDuration('1h30m'), 5_400_000)
  t.equal(parseDuration('168h'), 604_800_000)
  t.equal(parseDuration('0s'), 0)
  for (const text of ['', '30', '30 s', '-1s', '1d', '1.5h', '123456s']) {
    t.throws(() => parseDuration(text), { code: 'KP-CONF-203' }, text)
  }
  t.end()
})

t.test('sizes are bytes', (t) => {
  t.equal(parseByteQuantity('1'), 1)
  t.equal(parseByteQuantity('512Ki'), 524_288)
  t.equal(parseByteQuantity('20Mi'), 20_971_520)
  t.equal(parseByteQuantity('2k'), 2_000)
  t.equal(parseByteQuantity('3M'), 3_000_000)
  t.equal(parseByteQuantity('1G'), 1_000_000_000)
  t.equal(parseByteQuantity('1Gi'), 1_073_741_824)
  for (const text of ['', '0', '20MB', '1.5Mi', '-1', '1 Mi', '1e3']) {
    t.throws(() => parseByteQuantity(text), { code: 'KP-CONF-203' }, text)
  }
  t.end()
})

t.test('decimals lose no digit', (t) => {
  t.equal(parseDecimal('3.00', 6), 3_000_000n)
  t.equal(parseDecimal('0.30', 6), 300_000n)
  t.equal(parseDecimal('15', 6), 15_000_000n)
  t.equal(parseDecimal('250.000000001', 9), 250_000_000_001n)
  t.equal(parseDecimal('999999999999', 0), 999_999_999_999n)
  for (const text of ['', '-1', '1,5', '.5', '1.', '1e3', '1.0000000001']) {
    t.throws(() => parseDecimal(text, 9), { code: 'KP-CONF-203' }, text)
  }
  t.throws(() => parseDecimal('0.001', 2), { code: 'KP-CONF-203' })
  t.end()
})

t.test('field paths are written as people write them, and read back', (t) => {
  const cases: [(string | number)[], string][] = [
    [[], ''],
    [['spec'], 'spec'],
    [['spec', 'rules', 2, 'name'], 'spec.rules[2].name'],
    [['metadata', 'labels', 'korproxy.dev/team'], 'metadata.labels["korproxy.dev/team"]'],
    [['data', 'ca.crt'], 'data["ca.crt"]'],
    [['a', 'say "hi"', 0, 1], 'a["say \\"hi\\""][0][1]'],
  ]
  for (const [segments, text] of cases) {
    t.equal(formatFieldPath(segments), text)
    t.strictSame(parseFieldPath(text), segments)
  }
  t.end()
})

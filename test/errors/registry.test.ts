import t from 'tap'
import { KorProxyError } from '#errors/korproxy-error.ts'
import { ERRORS } from '#errors/registry.ts'

const RANGES: Record<string, readonly [number, number]> = {
  AUTH: [1, 99],
  PROV: [100, 199],
  CONF: [200, 299],
  NET: [300, 399],
  RATE: [400, 499],
  SYS: [500, 599],
}

t.test('R8.1 every code lies in the range of its area', (t) => {
  for (const code of Object.keys(ERRORS)) {
    const [, area = '', number = ''] = code.match(/^KP-([A-Z]+)-(\d{3})$/) ?? []
    const [low, high] = RANGES[area] ?? [1, 0]
    t.ok(Number(number) >= low && Number(number) <= high, code)
  }
  t.end()
})

t.test('a message names its details', (t) => {
  t.equal(new KorProxyError('KP-PROV-110', { seconds: 7 }).message, 'Provider rate limited. Retrying in 7s…')
  t.equal(new KorProxyError('KP-SYS-510', { limit: 10 }).status, 413)
  t.end()
})

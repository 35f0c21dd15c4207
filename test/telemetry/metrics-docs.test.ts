import t from 'tap'
import { METRICS } from '#telemetry/metric-table.ts'
import { renderMetricsDocs } from '#telemetry/metrics-docs.ts'

t.test('R7.1 the reference names every metric with its type, labels and meaning', (t) => {
  const page = renderMetricsDocs()
  for (const { name } of Object.values(METRICS)) t.ok(page.includes(`| \`${name}\` |`), name)
  t.match(
    page,
    '| `korproxy_attempts_total` | counter | `tenant`, `provider`, `account`, `outcome` | Calls to providers; a request that was retried made more than one. |',
  )
  t.end()
})

t.test('counters end in _total, times are seconds, and no name stands twice', (t) => {
  const definitions = Object.values(METRICS)
  for (const { name, type } of definitions) {
    t.equal(name.endsWith('_total'), type === 'counter', name)
    t.match(name, /^(?:korproxy|gen_ai)_[a-z_]+$/)
    t.notMatch(name, /_(?:ms|millis)/)
  }
  t.equal(new Set(definitions.map(({ name }) => name)).size, definitions.length)
  t.end()
})

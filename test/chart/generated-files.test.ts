import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { CHART_FOLDERS, chartFiles } from '../../src/cli/generate/chart-files.ts'
import { generatedFiles } from '../../src/cli/generate/generated-files.ts'

const ROOT = new URL('../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8')
const list = (path: string): string[] => readdirSync(new URL(path, ROOT)).sort()

t.test('R5.1 schema, dashboard and copies of the chart are what `npm run generate` would write', (t) => {
  const files = chartFiles(generatedFiles())
  for (const [path, content] of files) t.equal(read(path), content, path)
  const committed = CHART_FOLDERS.flatMap((folder) => list(folder).map((name) => `${folder}/${name}`))
  const made = [...files.keys()].filter((path) => CHART_FOLDERS.some((folder) => path.startsWith(`${folder}/`)))
  t.strictSame(committed.sort(), made.sort(), 'no leftover')
  t.end()
})

t.test('R5.1 the CRDs of the chart are those of crds/, byte by byte', (t) => {
  const names = list('crds')
  t.equal(names.length, 7)
  t.strictSame(list('charts/korproxy/files/crds'), names)
  for (const name of names) t.equal(read(`charts/korproxy/files/crds/${name}`), read(`crds/${name}`), name)
  t.end()
})

t.test('R5.1 the dashboard asks for metrics that the gateway has', (t) => {
  const { panels, templating } = JSON.parse(read('charts/korproxy/files/dashboard.json'))
  t.equal(panels.length, 12)
  const metrics = [...JSON.stringify(panels).matchAll(/\bkorproxy_[a-z_]+/g)].map(([name]) => name)
  t.strictSame([...new Set(metrics)].sort(), [
    'korproxy_account_in_flight',
    'korproxy_account_state',
    'korproxy_attempts_total',
    'korproxy_config_info',
    'korproxy_cost_usd_total',
    'korproxy_errors_total',
    'korproxy_request_duration_seconds_bucket',
    'korproxy_requests_in_flight',
    'korproxy_requests_total',
    'korproxy_streams_truncated_total',
    'korproxy_time_to_first_token_seconds_bucket',
    'korproxy_tokens_total',
  ])
  t.strictSame(
    templating.list.map(({ name }: { name: string }) => name),
    ['datasource', 'namespace', 'tenant'],
  )
  t.end()
})

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { chartDashboard } from './chart-dashboard.ts'
import { chartValuesSchema } from './chart-values.ts'

const CHART = 'charts/korproxy'
const ADMISSION = 'deploy/admission'
const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

/** Folders of the chart that hold nothing but generated files. */
export const CHART_FOLDERS = [`${CHART}/files/crds`, `${CHART}/files/admission`] as const

/** What the chart has from elsewhere, as Helm packs only what is inside of its folder: content by path from the root of the repository. */
export function chartFiles(generated: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const schema = chartValuesSchema(readFileSync(`${ROOT}${CHART}/values.yaml`, 'utf8'))
  const crds = [...generated].filter(([path]) => path.startsWith('crds/'))
  const policies = readdirSync(`${ROOT}${ADMISSION}`).filter((name) => name.endsWith('.yaml'))
  return new Map([
    ...crds.map(([path, content]) => [`${CHART}/files/${path}`, content] as const),
    ...policies.map(
      (name) => [`${CHART}/files/admission/${name}`, readFileSync(`${ROOT}${ADMISSION}/${name}`, 'utf8')] as const,
    ),
    [`${CHART}/values.schema.json`, json(schema)] as const,
    [`${CHART}/files/dashboard.json`, json(chartDashboard())] as const,
  ])
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

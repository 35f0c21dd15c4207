import { renderMetricsDocs } from '#telemetry/metrics-docs.ts'
import { commandPage } from './command-page.ts'
import { errorPages } from './error-pages.ts'

/** Folder that holds nothing but generated pages. */
export const GENERATED_DOCS_FOLDER = 'docs/reference/errors'

/** Pages that are made from the error registry, the commands and the metrics: content by path from the root of the repository. */
export function generatedDocs(): ReadonlyMap<string, string> {
  const errors = [...errorPages()].map(([name, page]) => [`${GENERATED_DOCS_FOLDER}/${name}`, page] as const)
  return new Map([
    ...errors,
    ['docs/reference/cli.md', commandPage()] as const,
    ['docs/reference/metrics.md', renderMetricsDocs()] as const,
  ])
}

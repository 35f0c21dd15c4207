import { LABELS, METRICS, type MetricDefinition } from './metric-table.ts'

/** `docs/reference/metrics.md`, from the table of metrics. */
export function renderMetricsDocs(): string {
  const definitions: readonly MetricDefinition[] = Object.values(METRICS)
  const own = definitions.filter(({ name }) => name.startsWith('korproxy_'))
  const genAi = definitions.filter(({ name }) => name.startsWith('gen_ai_'))
  return `${[
    '# Metrics',
    '<!-- Made by `npm run generate` from src/telemetry/metric-table.ts; change it there. -->',
    '`GET /metrics` of a gateway, Prometheus text format. No label holds a key, a prompt or any other text of a client: models that neither the catalogue nor the configuration names are `other`, and a metric with more than 2,000 series counts further tenants, accounts, profiles and models as `other`.',
    '## KorProxy',
    metricTable(own),
    '## OpenTelemetry GenAI',
    'The same requests under the names of the [semantic conventions for generative AI](https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-metrics.md), which are still in development; the names here follow them.',
    metricTable(genAi),
    '## Process',
    'The default metrics of Node.js programs: `process_cpu_seconds_total`, `process_resident_memory_bytes`, `nodejs_eventloop_lag_*`, `nodejs_heap_*`, `nodejs_gc_duration_seconds` and others.',
    '## Labels',
    table(
      ['Label', 'Values'],
      Object.entries(LABELS).map(([name, { help }]) => [`\`${name}\``, help]),
    ),
  ].join('\n\n')}\n`
}

function metricTable(definitions: readonly MetricDefinition[]): string {
  return table(
    ['Metric', 'Type', 'Labels', 'Meaning'],
    definitions.map(({ name, type, labels, help, buckets }) => [
      `\`${name}\``,
      type,
      labels.map((label) => `\`${label}\``).join(', '),
      buckets === undefined ? help : `${help} Buckets: ${buckets.join(', ')}.`,
    ]),
  )
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

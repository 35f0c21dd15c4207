/** Every metric that a controller exports besides those of its process. */
const CONTROLLER_METRICS = {
  leader: { name: 'korproxy_controller_leader', type: 'gauge', help: '1 while this controller leads.' },
  gateways: {
    name: 'korproxy_controller_gateways',
    type: 'gauge',
    help: 'Gateways that were heard of lately, by `state`: connected, current (runs the newest table), refused (said no to it).',
  },
  published: {
    name: 'korproxy_controller_published_timestamp_seconds',
    type: 'gauge',
    help: 'When the last table was published, Unix time.',
  },
  publications: {
    name: 'korproxy_controller_publications_total',
    type: 'counter',
    help: 'Tables that were published.',
  },
  withheld: {
    name: 'korproxy_controller_withheld',
    type: 'gauge',
    help: '1 while the newest table is not published because gateways would refuse it, or because its canaries did badly.',
  },
  problems: {
    name: 'korproxy_controller_problems',
    type: 'gauge',
    help: 'Problems of the configuration, by `code`.',
  },
  watchAge: {
    name: 'korproxy_controller_watch_age_seconds',
    type: 'gauge',
    help: 'Time since the last event or bookmark of a watch, by `kind`.',
  },
  watchEvents: {
    name: 'korproxy_controller_watch_events_total',
    type: 'counter',
    help: 'Relists, reconnects and cache mismatches of watches, by `kind` and `event`.',
  },
  statusFailures: {
    name: 'korproxy_controller_status_failures_total',
    type: 'counter',
    help: 'Statuses that could not be written.',
  },
  memory: { name: 'process_resident_memory_bytes', type: 'gauge', help: 'Resident memory size in bytes.' },
  processCpu: {
    name: 'process_cpu_seconds_total',
    type: 'counter',
    help: 'Total user and system CPU time spent in seconds.',
  },
} as const

export type ControllerMetric = keyof typeof CONTROLLER_METRICS

export interface MetricLine {
  readonly value: number
  readonly labels?: Readonly<Record<string, string>>
}

/** What to show of each metric at this moment; nothing of those that are missing. */
export type ControllerValues = Readonly<Partial<Record<ControllerMetric, readonly MetricLine[]>>>

/** @see https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format */
export function renderControllerMetrics(values: ControllerValues): {
  readonly contentType: string
  readonly text: string
} {
  const blocks = Object.entries(CONTROLLER_METRICS).flatMap(([metric, { name, type, help }]) => {
    // The entries are those of the table.
    const lines = values[metric as ControllerMetric] ?? []
    const rows = lines.map(({ value, labels = {} }) => `${name}${renderLabels(labels)} ${value}`)
    return rows.length === 0 ? [] : [[`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...rows].join('\n')]
  })
  return { contentType: 'text/plain; version=0.0.4; charset=utf-8', text: `${blocks.join('\n')}\n` }
}

function renderLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

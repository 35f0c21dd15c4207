import { METRICS } from '#telemetry/metric-table.ts'

type Unit = 'reqps' | 's' | 'currencyUSD' | 'short' | 'percentunit'

interface Query {
  readonly expression: string
  /** Name of a line, with labels in double braces. */
  readonly legend: string
}

interface Panel {
  readonly title: string
  readonly description: string
  readonly unit: Unit
  readonly queries: readonly Query[]
}

const PANELS_PER_ROW = 3
const WIDTH = 24 / PANELS_PER_ROW
const HEIGHT = 8
const DATASOURCE = { type: 'prometheus', uid: '$datasource' }
/** The two variables above the panels. */
const SELECTED = 'namespace=~"$namespace",tenant=~"$tenant"'

const rate = (metric: string, matchers = ''): string => `rate(${metric}{${SELECTED}${matchers}}[$__rate_interval])`
const sumBy = (labels: string, expression: string): string => `sum by (${labels}) (${expression})`
const quantile = (share: number, labels: string, metric: string): string =>
  `histogram_quantile(${share}, ${sumBy(`le, ${labels}`, rate(`${metric}_bucket`))})`

const PANELS: readonly Panel[] = [
  {
    title: 'Requests',
    description: 'By HTTP status towards the client; 499 means that the client left first.',
    unit: 'reqps',
    queries: [{ expression: sumBy('status', rate(METRICS.requests.name)), legend: '{{status}}' }],
  },
  {
    title: 'Errors',
    description: 'By KP code.',
    unit: 'reqps',
    queries: [{ expression: sumBy('code', rate(METRICS.errors.name)), legend: '{{code}}' }],
  },
  {
    title: 'Requests under way',
    description: 'By gateway.',
    unit: 'short',
    queries: [{ expression: `sum by (pod) (${METRICS.inFlight.name}{namespace=~"$namespace"})`, legend: '{{pod}}' }],
  },
  {
    title: 'Time to first token',
    description: 'From the arrival of a request to the first content, by provider.',
    unit: 's',
    queries: [
      { expression: quantile(0.5, 'provider', METRICS.firstToken.name), legend: '{{provider}} p50' },
      { expression: quantile(0.95, 'provider', METRICS.firstToken.name), legend: '{{provider}} p95' },
    ],
  },
  {
    title: 'Duration of requests',
    description: 'All attempts included, by type.',
    unit: 's',
    queries: [
      { expression: quantile(0.5, 'type', METRICS.duration.name), legend: '{{type}} p50' },
      { expression: quantile(0.95, 'type', METRICS.duration.name), legend: '{{type}} p95' },
    ],
  },
  {
    title: 'Attempts at providers',
    description: 'By outcome. More attempts than requests: something is retried.',
    unit: 'reqps',
    queries: [
      { expression: sumBy('provider, outcome', rate(METRICS.attempts.name)), legend: '{{provider}} {{outcome}}' },
    ],
  },
  {
    title: 'Accounts that are not available',
    description: 'Gateways that see an account as rate-limited or erroring.',
    unit: 'short',
    queries: [
      {
        expression: `${sumBy('tenant, account, state', `${METRICS.accountState.name}{${SELECTED},state=~"rate_limited|erroring"}`)} > 0`,
        legend: '{{tenant}}/{{account}} {{state}}',
      },
    ],
  },
  {
    title: 'Calls under way by account',
    description: 'Where the load is.',
    unit: 'short',
    queries: [
      {
        expression: sumBy('tenant, account', `${METRICS.accountInFlight.name}{${SELECTED}}`),
        legend: '{{tenant}}/{{account}}',
      },
    ],
  },
  {
    title: 'Answers that broke off',
    description: 'Streams that ended without their end.',
    unit: 'reqps',
    queries: [
      { expression: sumBy('provider, account', rate(METRICS.truncated.name)), legend: '{{provider}} {{account}}' },
    ],
  },
  {
    title: 'Tokens',
    description: 'Per second, by kind; cached and reasoning tokens are parts of input and output.',
    unit: 'short',
    queries: [{ expression: sumBy('kind', rate(METRICS.tokens.name)), legend: '{{kind}}' }],
  },
  {
    title: 'Cost per hour',
    description: 'US dollars of requests whose price is known.',
    unit: 'currencyUSD',
    queries: [
      { expression: `3600 * ${sumBy('tenant, model', rate(METRICS.cost.name))}`, legend: '{{tenant}} {{model}}' },
    ],
  },
  {
    title: 'Routing tables in use',
    description: 'Gateways by version of their table. More than one for long: some do not get the newest.',
    unit: 'short',
    queries: [
      {
        expression: `count by (version) (${METRICS.configInfo.name}{namespace=~"$namespace"} == 1)`,
        legend: '{{version}}',
      },
    ],
  },
]

/** Dashboard for Grafana 10 and later, made from the metrics. */
export function chartDashboard(): object {
  return {
    uid: 'korproxy',
    title: 'KorProxy',
    tags: ['korproxy'],
    schemaVersion: 39,
    editable: true,
    refresh: '30s',
    time: { from: 'now-1h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', type: 'datasource', query: 'prometheus', label: 'Data source' },
        labelVariable('namespace', METRICS.inFlight.name, 'Namespace of the gateways'),
        labelVariable('tenant', METRICS.requests.name, 'Tenant'),
      ],
    },
    panels: PANELS.map(renderPanel),
  }
}

function labelVariable(name: string, metric: string, label: string): object {
  return {
    name,
    label,
    type: 'query',
    datasource: DATASOURCE,
    query: { query: `label_values(${metric}, ${name})`, refId: name },
    refresh: 2,
    multi: true,
    includeAll: true,
    allValue: '.*',
    current: { selected: true, text: ['All'], value: ['$__all'] },
  }
}

function renderPanel({ title, description, unit, queries }: Panel, index: number): object {
  const gridPos = {
    x: (index % PANELS_PER_ROW) * WIDTH,
    y: Math.floor(index / PANELS_PER_ROW) * HEIGHT,
    w: WIDTH,
    h: HEIGHT,
  }
  return {
    id: index + 1,
    type: 'timeseries',
    title,
    description,
    datasource: DATASOURCE,
    gridPos,
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
    targets: queries.map(({ expression, legend }, position) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + position),
      datasource: DATASOURCE,
      expr: expression,
      legendFormat: legend,
    })),
  }
}

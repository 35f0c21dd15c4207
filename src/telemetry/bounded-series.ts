import { LABELS, type MetricDefinition } from './metric-table.ts'

/** Series of one metric in a process: a scrape stays below 50 ms, and no client can fill the memory of a Prometheus. */
const MAX_SERIES = 2_000
export const OTHER = 'other'

export type Labels = Readonly<Record<string, string>>

/** One line of the exposition, as prom-client takes it. */
export interface Sample {
  readonly metricName: string
  /** Of this line only. */
  readonly labels: Labels
  /** Always the same object for the same series: prom-client keeps its text. */
  readonly sharedLabels: Labels
  readonly value: number
}

export interface CounterCell {
  value: number
}
/** Money in whole numbers: 10^-6 USD and the pico-USD below one of them. */
export interface CostCell {
  microUsd: number
  restPicoUsd: number
}
export interface HistogramCell {
  /** One more than there are buckets: the last is +Inf. Not cumulative. */
  readonly counts: number[]
  sum: number
}

/** The values of one metric by its label values. Free labels become `other` when there are too many of them. */
export class BoundedSeries<Cell> {
  readonly definition: MetricDefinition
  readonly #create: () => Cell
  readonly #limit: number
  readonly #cells = new Map<string, { readonly labels: Labels; readonly cell: Cell }>()

  constructor(definition: MetricDefinition, create: () => Cell) {
    this.definition = definition
    this.#create = create
    // A histogram has a line for each bucket, +Inf, sum and count.
    const lines = definition.buckets === undefined ? 1 : definition.buckets.length + 3
    this.#limit = Math.floor((definition.maxSeries ?? MAX_SERIES) / lines)
  }

  /** @param labels values in the order of the definition */
  at(labels: readonly string[]): Cell {
    const found = this.#cells.get(labels.join('\n'))
    if (found !== undefined) return found.cell
    return this.#cells.size < this.#limit ? this.#add(labels) : this.#overflow(labels)
  }

  #add(labels: readonly string[]): Cell {
    const cell = this.#create()
    const names = this.definition.labels
    this.#cells.set(labels.join('\n'), {
      labels: Object.fromEntries(names.map((name, index) => [name, labels[index] ?? ''])),
      cell,
    })
    return cell
  }

  /** What is left are the few values of the fixed labels. */
  #overflow(labels: readonly string[]): Cell {
    const bounded = labels.map((value, index) => {
      const name = this.definition.labels[index]
      return name !== undefined && LABELS[name].bound === 'Free' ? OTHER : value
    })
    return this.#cells.get(bounded.join('\n'))?.cell ?? this.#add(bounded)
  }

  entries(): Iterable<{ readonly labels: Labels; readonly cell: Cell }> {
    return this.#cells.values()
  }
}

export function counterSeries(definition: MetricDefinition): BoundedSeries<CounterCell> {
  return new BoundedSeries(definition, () => ({ value: 0 }))
}

export function costSeries(definition: MetricDefinition): BoundedSeries<CostCell> {
  return new BoundedSeries(definition, () => ({ microUsd: 0, restPicoUsd: 0 }))
}

export function histogramSeries(definition: MetricDefinition): BoundedSeries<HistogramCell> {
  const size = (definition.buckets?.length ?? 0) + 1
  return new BoundedSeries(definition, () => ({ counts: new Array<number>(size).fill(0), sum: 0 }))
}

export function addCost(cell: CostCell, picoUsd: number): void {
  const rest = cell.restPicoUsd + (picoUsd % 1_000_000)
  cell.microUsd += Math.floor(picoUsd / 1_000_000) + Math.floor(rest / 1_000_000)
  cell.restPicoUsd = rest % 1_000_000
}

export function addObservation(series: BoundedSeries<HistogramCell>, cell: HistogramCell, value: number): void {
  const buckets = series.definition.buckets ?? []
  let index = 0
  while (index < buckets.length && value > (buckets[index] ?? 0)) index += 1
  cell.counts[index] = (cell.counts[index] ?? 0) + 1
  cell.sum += value
}

const NO_LABELS: Labels = {}

export function counterSamples(series: BoundedSeries<CounterCell>): Sample[] {
  const metricName = series.definition.name
  return Array.from(series.entries(), ({ labels, cell }) => ({
    metricName,
    labels: NO_LABELS,
    sharedLabels: labels,
    value: cell.value,
  }))
}

export function costSamples(series: BoundedSeries<CostCell>): Sample[] {
  const metricName = series.definition.name
  return Array.from(series.entries(), ({ labels, cell }) => ({
    metricName,
    labels: NO_LABELS,
    sharedLabels: labels,
    value: cell.microUsd / 1e6 + cell.restPicoUsd / 1e12,
  }))
}

export function histogramSamples(series: BoundedSeries<HistogramCell>): Sample[] {
  const { name, buckets = [] } = series.definition
  const bounds = [...buckets.map(String), '+Inf'].map((le) => ({ le }))
  const samples: Sample[] = []
  for (const { labels: sharedLabels, cell } of series.entries()) {
    let count = 0
    for (const [index, labels] of bounds.entries()) {
      count += cell.counts[index] ?? 0
      samples.push({ metricName: `${name}_bucket`, labels, sharedLabels, value: count })
    }
    samples.push({ metricName: `${name}_sum`, labels: NO_LABELS, sharedLabels, value: cell.sum })
    samples.push({ metricName: `${name}_count`, labels: NO_LABELS, sharedLabels, value: count })
  }
  return samples
}

import {
  addCost,
  type BoundedSeries,
  type CostCell,
  type CounterCell,
  costSeries,
  counterSeries,
  type HistogramCell,
  histogramSeries,
  OTHER,
  observe,
} from './bounded-series.ts'
import { METRICS } from './metric-table.ts'
import type { RequestEvent, UsageRecord } from './request-event.ts'

/** The metrics whose labels follow from what was asked of whom. */
export class RequestSeries {
  readonly requests = counterSeries(METRICS.requests)
  readonly duration = histogramSeries(METRICS.duration)
  readonly firstToken = histogramSeries(METRICS.firstToken)
  readonly tokens = counterSeries(METRICS.tokens)
  readonly cost = costSeries(METRICS.cost)
  readonly unpriced = counterSeries(METRICS.unpriced)
  readonly truncated = counterSeries(METRICS.truncated)
  readonly genAiDuration = histogramSeries(METRICS.genAiDuration)
  readonly genAiFirstChunk = histogramSeries(METRICS.genAiFirstChunk)
  readonly genAiTokens = histogramSeries(METRICS.genAiTokens)
}

/** Names of the models as labels. */
export interface ModelLabels {
  readonly requested: string
  readonly answered: string
}

const GEN_AI_OPERATION: Readonly<Record<string, string>> = {
  chat: 'chat',
  completion: 'text_completion',
  embedding: 'embeddings',
}

/**
 * The cells of all requests that were alike: joining label values anew for each metric would cost more than counting. Cells are looked
 * up when they are first needed, so that nothing that never happened is shown.
 */
export class RequestCells {
  readonly #series: RequestSeries
  readonly #request: readonly string[]
  readonly #latency: readonly string[]
  readonly #attempted: readonly string[]
  readonly #genAi: readonly string[]
  readonly #counters = new Map<BoundedSeries<CounterCell>, Map<string | number, CounterCell>>()
  readonly #histograms = new Map<BoundedSeries<HistogramCell>, Map<string, HistogramCell>>()
  #cost: CostCell | undefined

  constructor(series: RequestSeries, event: RequestEvent, { requested, answered }: ModelLabels) {
    const { tenant, profile, provider, account, requestType } = event
    this.#series = series
    this.#request = [tenant, profile, provider, account, answered, requestType]
    this.#latency = [tenant, provider, account, answered, requestType]
    this.#attempted = [tenant, provider, account, answered]
    this.#genAi = [GEN_AI_OPERATION[requestType] ?? OTHER, provider, requested, answered]
  }

  record(event: RequestEvent): void {
    const { duration, firstToken, genAiDuration, genAiFirstChunk, requests, truncated } = this.#series
    const { status, durationMs, firstTokenMs, errorCode } = event
    this.#counter(requests, status, () => [...this.#request, String(status)]).value += 1
    this.#observe(duration, '', this.#latency, durationMs / 1000)
    this.#observe(genAiDuration, errorCode, this.#genAi, durationMs / 1000)
    if (firstTokenMs !== undefined) {
      this.#observe(firstToken, '', this.#latency, firstTokenMs / 1000)
      if (event.stream) this.#observe(genAiFirstChunk, '', this.#genAi, firstTokenMs / 1000)
    }
    if (event.usage !== undefined) this.#recordUsage(event.usage, event.costPicoUsd)
    if (event.truncated) this.#counter(truncated, '', () => this.#attempted).value += 1
  }

  /** An attempt at the account that answered in the end. */
  attempt(series: BoundedSeries<CounterCell>, outcome: string): CounterCell {
    return this.#counter(series, outcome, () => [...this.#attempted.slice(0, 3), outcome])
  }

  #recordUsage(usage: UsageRecord, costPicoUsd: number | undefined): void {
    this.#countTokens('input', usage.input, usage)
    this.#countTokens('cached_input', usage.cachedInput, usage)
    this.#countTokens('cache_write', usage.cacheWriteInput, usage)
    this.#countTokens('output', usage.output, usage)
    this.#countTokens('reasoning', usage.reasoning, usage)
    this.#observe(this.#series.genAiTokens, 'input', this.#genAi, usage.input)
    this.#observe(this.#series.genAiTokens, 'output', this.#genAi, usage.output)
    if (costPicoUsd === undefined) {
      this.#counter(this.#series.unpriced, '', () => this.#request).value += 1
      return
    }
    this.#cost ??= this.#series.cost.at(this.#request)
    addCost(this.#cost, costPicoUsd)
  }

  #countTokens(kind: string, tokens: number, { estimated }: UsageRecord): void {
    if (tokens <= 0) return
    const key = estimated ? `${kind}~` : kind
    this.#counter(this.#series.tokens, key, () => [...this.#request, kind, String(estimated)]).value += tokens
  }

  #counter(series: BoundedSeries<CounterCell>, key: string | number, labels: () => readonly string[]): CounterCell {
    const cells = this.#counters.get(series) ?? new Map<string | number, CounterCell>()
    const known = cells.get(key)
    if (known !== undefined) return known
    const cell = series.at(labels())
    this.#counters.set(series, cells.set(key, cell))
    return cell
  }

  /** @param last value of the label after `labels`, where the metric has one more */
  #observe(series: BoundedSeries<HistogramCell>, last: string, labels: readonly string[], value: number): void {
    const cells = this.#histograms.get(series) ?? new Map<string, HistogramCell>()
    let cell = cells.get(last)
    if (cell === undefined) {
      cell = series.at(labels.length < series.definition.labels.length ? [...labels, last] : labels)
      this.#histograms.set(series, cells.set(last, cell))
    }
    observe(series, cell, value)
  }
}

import {
  addCost,
  addObservation,
  type BoundedSeries,
  type CostCell,
  type CounterCell,
  costSeries,
  counterSeries,
  type HistogramCell,
  histogramSeries,
  OTHER,
} from './bounded-series.ts'
import { METRICS } from './metric-table.ts'
import type { RequestEvent, UsageRecord } from './request-event.ts'

/** The metrics whose labels follow from what was asked of whom. */
export class RequestSeries {
  readonly requests = counterSeries(METRICS.requests)
  readonly duration = histogramSeries(METRICS.duration)
  readonly firstToken = histogramSeries(METRICS.firstToken)
  readonly tokens = counterSeries(METRICS.tokens)
  readonly attempts = counterSeries(METRICS.attempts)
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

/** The cells of one metric that have all labels but the last in common. Most look-ups are for the same one as before. */
class Cells<Cell> {
  readonly series: BoundedSeries<Cell>
  readonly #labels: readonly string[]
  readonly #known = new Map<string, Cell>()
  #latest: { readonly label: string; readonly cell: Cell } | undefined

  constructor(series: BoundedSeries<Cell>, labels: readonly string[]) {
    this.series = series
    this.#labels = labels
  }

  /** @param last value of the last label, where the metric has one more */
  at(last = ''): Cell {
    if (this.#latest?.label === last) return this.#latest.cell
    const isWhole = this.#labels.length === this.series.definition.labels.length
    const cell = this.#known.get(last) ?? this.series.at(isWhole ? this.#labels : [...this.#labels, last])
    this.#known.set(last, cell)
    this.#latest = { label: last, cell }
    return cell
  }
}

interface TokenCells {
  readonly input: Cells<CounterCell>
  readonly cachedInput: Cells<CounterCell>
  readonly cacheWriteInput: Cells<CounterCell>
  readonly output: Cells<CounterCell>
  readonly reasoning: Cells<CounterCell>
}

/**
 * The cells of all requests that were alike: joining label values anew for each metric would cost more than counting. Cells are looked
 * up when they are first needed, so that nothing that never happened is shown.
 */
export class RequestCells {
  readonly #requests: Cells<CounterCell>
  readonly #duration: Cells<HistogramCell>
  readonly #firstToken: Cells<HistogramCell>
  readonly #genAiDuration: Cells<HistogramCell>
  readonly #genAiFirstChunk: Cells<HistogramCell>
  readonly #genAiInput: Cells<HistogramCell>
  readonly #genAiOutput: Cells<HistogramCell>
  readonly #truncated: Cells<CounterCell>
  readonly #unpriced: Cells<CounterCell>
  readonly #cost: Cells<CostCell>
  readonly #attempts: Cells<CounterCell>
  readonly #tokens: TokenCells

  constructor(series: RequestSeries, event: RequestEvent, { requested, answered }: ModelLabels) {
    const { tenant, profile, provider, account, requestType } = event
    const request = [tenant, profile, provider, account, answered, requestType]
    const latency = [tenant, provider, account, answered, requestType]
    const genAi = [GEN_AI_OPERATION[requestType] ?? OTHER, provider, requested, answered]
    this.#requests = new Cells(series.requests, request)
    this.#duration = new Cells(series.duration, latency)
    this.#firstToken = new Cells(series.firstToken, latency)
    this.#genAiDuration = new Cells(series.genAiDuration, genAi)
    this.#genAiFirstChunk = new Cells(series.genAiFirstChunk, genAi)
    this.#genAiInput = new Cells(series.genAiTokens, genAi)
    this.#genAiOutput = new Cells(series.genAiTokens, genAi)
    this.#truncated = new Cells(series.truncated, [tenant, provider, account, answered])
    this.#unpriced = new Cells(series.unpriced, request)
    this.#cost = new Cells(series.cost, request)
    this.#attempts = new Cells(series.attempts, [tenant, provider, account])
    const tokens = (kind: string): Cells<CounterCell> => new Cells(series.tokens, [...request, kind])
    this.#tokens = {
      input: tokens('input'),
      cachedInput: tokens('cached_input'),
      cacheWriteInput: tokens('cache_write'),
      output: tokens('output'),
      reasoning: tokens('reasoning'),
    }
  }

  record(event: RequestEvent): void {
    const { status, durationMs, firstTokenMs, errorCode } = event
    this.#requests.at(String(status)).value += 1
    observe(this.#duration, '', durationMs / 1000)
    observe(this.#genAiDuration, errorCode, durationMs / 1000)
    if (firstTokenMs !== undefined) {
      observe(this.#firstToken, '', firstTokenMs / 1000)
      if (event.stream) observe(this.#genAiFirstChunk, '', firstTokenMs / 1000)
    }
    if (event.usage !== undefined) this.#recordUsage(event.usage, event.costPicoUsd)
    if (event.truncated) this.#truncated.at().value += 1
  }

  /** An attempt at the account that the request ended with. */
  recordAttempt(outcome: string): void {
    this.#attempts.at(outcome).value += 1
  }

  #recordUsage(usage: UsageRecord, costPicoUsd: number | undefined): void {
    const { input, cachedInput, cacheWriteInput, output, reasoning } = this.#tokens
    const estimated = usage.estimated ? 'true' : 'false'
    count(input, usage.input, estimated)
    count(cachedInput, usage.cachedInput, estimated)
    count(cacheWriteInput, usage.cacheWriteInput, estimated)
    count(output, usage.output, estimated)
    count(reasoning, usage.reasoning, estimated)
    observe(this.#genAiInput, 'input', usage.input)
    observe(this.#genAiOutput, 'output', usage.output)
    if (costPicoUsd === undefined) this.#unpriced.at().value += 1
    else addCost(this.#cost.at(), costPicoUsd)
  }
}

function count(cells: Cells<CounterCell>, amount: number, last: string): void {
  if (amount > 0) cells.at(last).value += amount
}

function observe(cells: Cells<HistogramCell>, last: string, value: number): void {
  addObservation(cells.series, cells.at(last), value)
}

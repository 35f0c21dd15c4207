import { ERRORS } from '#errors/registry.ts'
import { costSamples, counterSamples, counterSeries, histogramSamples, OTHER, type Sample } from './bounded-series.ts'
import { knownName } from './known-models.ts'
import { METRICS, type MetricDefinition } from './metric-table.ts'
import { RequestCells, RequestSeries } from './request-cells.ts'
import { isAlike, type RequestEvent } from './request-event.ts'

export type IsKnownModel = (tenant: string, model: string) => boolean

/** A metric and where its lines come from when it is rendered. */
export interface RenderedMetric {
  readonly definition: MetricDefinition
  readonly samples: () => readonly Sample[]
}

/** Longer names are in no catalogue, and a client may send megabytes of them. */
const MAX_NAME_LENGTH = 256

/** Names of unknown parameters are the client's; these look like names. */
const PARAMETER_NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/

/** Kinds of requests whose cells are kept at hand; past it the look-ups start anew, the counts stay. */
const MAX_KEPT = 4_096

/** Counters and histograms of requests. Counting is a few look-ups; lines are made when somebody asks for them. */
export class RequestMetrics {
  readonly #isKnown: IsKnownModel
  readonly #series = new RequestSeries()
  readonly #errors = counterSeries(METRICS.errors)
  readonly #dropped = counterSeries(METRICS.dropped)
  readonly #cells = new Map<string, RequestCells>()
  /** By account: the last request, and its cells. */
  readonly #last = new Map<string, { readonly event: RequestEvent; readonly cells: RequestCells }>()

  constructor(isKnown: IsKnownModel) {
    this.#isKnown = isKnown
  }

  record(event: RequestEvent): void {
    const { tenant, provider, account, errorCode } = event
    const cells = this.#cellsOf(event)
    cells.record(event)
    if (errorCode !== '') {
      this.#errors.at([tenant, provider, account, errorCode, errorKind(errorCode)]).value += 1
    }
    for (const { provider: asked, account: to, outcome } of event.attempts) {
      if (to === account && asked === provider) cells.recordAttempt(outcome)
      else this.#series.attempts.at([tenant, asked, to, outcome]).value += 1
    }
    for (const name of event.droppedParameters) {
      this.#dropped.at([PARAMETER_NAME.test(name) ? name : OTHER]).value += 1
    }
  }

  /** Which models are known has changed: labels are to be made anew. */
  forgetNames(): void {
    this.#last.clear()
  }

  #cellsOf(event: RequestEvent): RequestCells {
    const last = this.#last.get(event.account)
    if (last !== undefined && isAlike(last.event, event)) return last.cells
    const cells = this.#lookUpCells(event)
    if (this.#last.size >= MAX_KEPT) this.#last.clear()
    this.#last.set(event.account, { event, cells })
    return cells
  }

  #lookUpCells(event: RequestEvent): RequestCells {
    const { tenant, profile, provider, account, requestType, model, requestedModel } = event
    const answered = this.#modelLabel(tenant, model)
    const requested = requestedModel === model ? answered : this.#modelLabel(tenant, requestedModel)
    const key = `${tenant}\n${profile}\n${provider}\n${account}\n${requestType}\n${answered}\n${requested}`
    const known = this.#cells.get(key)
    if (known !== undefined) return known
    if (this.#cells.size >= MAX_KEPT) this.#cells.clear()
    const created = new RequestCells(this.#series, event, { requested, answered })
    this.#cells.set(key, created)
    return created
  }

  #modelLabel(tenant: string, model: string): string {
    if (model === '') return ''
    if (model.length > MAX_NAME_LENGTH) return OTHER
    return knownName(model, (name) => this.#isKnown(tenant, name)) ?? OTHER
  }

  metrics(): readonly RenderedMetric[] {
    const { cost, ...series } = this.#series
    const { requests, tokens, unpriced, truncated, attempts, ...histograms } = series
    const counters = [requests, tokens, unpriced, truncated, this.#errors, attempts, this.#dropped]
    return [
      ...counters.map((counter) => ({ definition: counter.definition, samples: () => counterSamples(counter) })),
      { definition: cost.definition, samples: () => costSamples(cost) },
      ...Object.values(histograms).map((histogram) => ({
        definition: histogram.definition,
        samples: () => histogramSamples(histogram),
      })),
    ]
  }
}

function errorKind(code: string): string {
  const registry: Readonly<Record<string, { readonly kind: string }>> = ERRORS
  return registry[code]?.kind ?? OTHER
}

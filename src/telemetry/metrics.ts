import { setImmediate } from 'node:timers/promises'
import { type Counter, collectDefaultMetrics, Registry } from 'prom-client'
import type { Sample } from './bounded-series.ts'
import type { AccountView, GatewayView } from './gateway-view.ts'
import { KnownModels } from './known-models.ts'
import { METRICS, type MetricDefinition } from './metric-table.ts'
import type { RequestEvent } from './request-event.ts'
import { type IsKnownModel, type RenderedMetric, RequestMetrics } from './request-metrics.ts'

export interface GatewayMetricsOptions {
  /** Health of accounts, requests under way and known models are read from it. */
  readonly gateway?: GatewayView
  /** Models that may be a label; the gateway's table says it by default. */
  readonly knownModel?: IsKnownModel
  /** Unix time, milliseconds. */
  readonly now?: () => number
}

/** Rendering thousands of lines takes milliseconds; scrapers that come at once share one. */
const RENDER_TTL_MS = 1_000

const ACCOUNT_STATES = ['available', 'rate_limited', 'erroring', 'disabled']

/** `/metrics` of a gateway: its own counters, with the process's, in the Prometheus text format. */
export class GatewayMetrics {
  readonly #requests: RequestMetrics
  readonly #gateway: GatewayView | undefined
  readonly #now: () => number
  readonly #registry = new Registry()
  #config: { readonly version: string; readonly appliedAtMs: number } | undefined
  #rendered: { readonly atMs: number; readonly text: Promise<string> } | undefined

  constructor(options: GatewayMetricsOptions = {}) {
    const { gateway, now = Date.now } = options
    const known = gateway === undefined ? undefined : new KnownModels(gateway)
    this.#requests = new RequestMetrics(options.knownModel ?? ((tenant, model) => known?.has(tenant, model) ?? false))
    this.#gateway = gateway
    this.#now = now
    for (const metric of [...this.#requests.metrics(), ...this.#gauges()]) this.#register(metric)
    collectDefaultMetrics({ register: this.#registry })
  }

  /** Counts a finished request. */
  record(event: RequestEvent): void {
    this.#requests.record(event)
  }

  /** @param appliedAtMs Unix time, milliseconds; counts where the version is a new one */
  setConfigVersion(version: string, appliedAtMs: number): void {
    if (this.#config?.version === version) return
    this.#config = { version, appliedAtMs }
    this.#requests.forgetNames()
  }

  /** At most a second old. */
  async render(): Promise<{ readonly contentType: string; readonly text: string }> {
    const nowMs = this.#now()
    if (this.#rendered === undefined || nowMs - this.#rendered.atMs >= RENDER_TTL_MS) {
      this.#rendered = { atMs: nowMs, text: this.#renderAll() }
    }
    return { contentType: this.#registry.contentType, text: await this.#rendered.text }
  }

  /** Metric by metric, so that requests get their turn in between. */
  async #renderAll(): Promise<string> {
    const parts: string[] = []
    for (const { name } of this.#registry.getMetricsAsArray()) {
      parts.push(await this.#registry.getSingleMetricAsString(name))
      await setImmediate()
    }
    return `${parts.join('\n\n')}\n`
  }

  #register({ definition, samples }: RenderedMetric): void {
    const { name, help, type } = definition
    const get = async (): Promise<object> => ({ name, help, type, aggregator: 'sum', values: samples() })
    // Of a metric the registry uses only these; its own classes would hash label objects at every request.
    this.#registry.registerMetric({ name, help, type, get } as unknown as Counter)
  }

  #gauges(): readonly RenderedMetric[] {
    return [
      gauge(METRICS.inFlight, () => (this.#gateway === undefined ? [] : [[this.#gateway.inFlight]])),
      gauge(METRICS.accountState, () => this.#accountStates()),
      gauge(METRICS.accountInFlight, () =>
        this.#accounts().map(({ tenant, provider, account, inFlight }) => [
          inFlight,
          tenant,
          provider.telemetryName,
          account.name,
        ]),
      ),
      gauge(METRICS.configInfo, () => (this.#config === undefined ? [] : [[1, this.#config.version]])),
      gauge(METRICS.configApplied, () => (this.#config === undefined ? [] : [[this.#config.appliedAtMs / 1000]])),
    ]
  }

  #accounts(): readonly AccountView[] {
    return [...(this.#gateway?.registry.all() ?? [])]
  }

  #accountStates(): readonly GaugeLine[] {
    const nowMs = this.#now()
    return this.#accounts().flatMap(({ tenant, provider, account, health }) => {
      const current = health.summary(nowMs).state
      return ACCOUNT_STATES.map(
        (state): GaugeLine => [state === current ? 1 : 0, tenant, provider.telemetryName, account.name, state],
      )
    })
  }
}

/** The value, and those of the labels in their order. */
type GaugeLine = readonly [value: number, ...labels: string[]]

function gauge(definition: MetricDefinition, lines: () => readonly GaugeLine[]): RenderedMetric {
  const sample = ([value, ...labels]: GaugeLine): Sample => ({
    metricName: definition.name,
    labels: {},
    sharedLabels: Object.fromEntries(definition.labels.map((name, index) => [name, labels[index] ?? ''])),
    value,
  })
  return { definition, samples: () => lines().map(sample) }
}

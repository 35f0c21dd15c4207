import type { Controller } from '#controller/controller.ts'
import { type MetricLine, renderControllerMetrics } from '#telemetry/controller-metrics.ts'

/** What a controller's process knows beside the controller itself. */
export interface ControllerState {
  readonly leads: boolean
  readonly publications: number
  /** Unix time, ms. */
  readonly publishedAtMs: number | undefined
  /** By kind. */
  readonly watchAgesMs: ReadonlyMap<string, number>
  /** By kind and event, a line break between them. */
  readonly watchEvents: ReadonlyMap<string, number>
  readonly statusFailures: number
}

/** `/metrics` of a controller. */
export function renderControllerState(
  controller: Controller,
  state: ControllerState,
): { readonly contentType: string; readonly text: string } {
  const { gateways, withheld, rollout, published } = controller
  const problems = Map.groupBy(controller.problems, ({ code }) => code)
  const count = (name: string, value: number): MetricLine => ({ value, labels: { state: name } })
  const { user, system } = process.cpuUsage()
  return renderControllerMetrics({
    leader: [{ value: state.leads ? 1 : 0 }],
    gateways: [
      count('connected', gateways.filter(({ connected }) => connected).length),
      count('current', gateways.filter(({ connected, runs }) => connected && runs === published?.version).length),
      count('refused', gateways.filter(({ verdict }) => verdict?.result === 'NACK').length),
    ],
    ...(state.publishedAtMs !== undefined && { published: [{ value: state.publishedAtMs / 1_000 }] }),
    publications: [{ value: state.publications }],
    withheld: [{ value: withheld !== undefined || rollout?.phase === 'Held' ? 1 : 0 }],
    problems: [...problems].map(([code, { length }]) => ({ value: length, labels: { code } })),
    watchAge: [...state.watchAgesMs].map(([kind, ageMs]) => ({ value: ageMs / 1_000, labels: { kind } })),
    watchEvents: [...state.watchEvents].map(([key, value]) => {
      const [kind = '', event = ''] = key.split('\n')
      return { value, labels: { kind, event } }
    }),
    statusFailures: [{ value: state.statusFailures }],
    memory: [{ value: process.memoryUsage.rss() }],
    processCpu: [{ value: (user + system) / 1_000_000 }],
  })
}

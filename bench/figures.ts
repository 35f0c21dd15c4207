import type { Measurement } from './measure.ts'
import type { ScenarioName } from './scenarios.ts'

/** What one start of one gateway gave. */
export interface Round {
  readonly readyMs: number
  readonly idleMB: number
  readonly measurements: Readonly<Partial<Record<ScenarioName, Measurement>>>
}

/** One figure over all rounds. `best` is the lowest: neighbours and an unlucky JIT only ever add. */
export interface Spread {
  readonly best: number
  readonly median: number
  readonly worst: number
}

interface Figure {
  readonly title: string
  readonly digits: number
  /** Where it is measured; missing = at the start of the gateway. */
  readonly scenario?: ScenarioName
  /** Shown as the difference to what the same load costs without a gateway. */
  readonly added?: true
  readonly value: (round: Round) => number | undefined
}

/** Rounds in which others used more of the machine than this do not count while there is a quieter one. */
const QUIET_CORES = 0.25

const FIGURES = {
  cpuPerRequestUs: costPer('answered', 'request1KB', { title: 'CPU µs/request 1 KB', digits: 1 }),
  requestsPerSecond: {
    title: 'max requests/s',
    digits: 0,
    scenario: 'request1KB',
    value: ({ measurements: { request1KB: m } }) => m && m.answered / m.seconds,
  },
  cpuPerLargeRequestUs: costPer('answered', 'request100KB', { title: 'CPU µs/request 100 KB', digits: 0 }),
  oneConnectionP50Us: added('oneConnection', 'latencyUs', 'p50', '1 connection +p50 µs'),
  oneConnectionP99Us: added('oneConnection', 'latencyUs', 'p99', '1 connection +p99 µs'),
  steadyP50Us: added('steadyRate', 'latencyUs', 'p50', '500/s +p50 µs'),
  steadyP99Us: added('steadyRate', 'latencyUs', 'p99', '500/s +p99 µs'),
  firstTokenP50Us: added('firstToken', 'firstTokenUs', 'p50', 'first token +p50 µs'),
  firstTokenP99Us: added('firstToken', 'firstTokenUs', 'p99', 'first token +p99 µs'),
  chunkLagP50Us: lag('p50', 'chunk lag p50 µs'),
  chunkLagP99Us: lag('p99', 'chunk lag p99 µs'),
  cpuPerPacedChunkUs: costPer('chunks', 'pacedStreams', { title: 'CPU µs/chunk paced', digits: 1 }),
  cpuPerFloodChunkUs: costPer('chunks', 'floodStreams', { title: 'CPU µs/chunk flood', digits: 2 }),
  floodChunksPerSecond: {
    title: 'flood chunks/s',
    digits: 0,
    scenario: 'floodStreams',
    value: ({ measurements: { floodStreams: m } }) => m && m.chunks / m.seconds,
  },
  cpuPerTranslatedRequestUs: costPer('answered', 'translated1KB', {
    title: 'translated CPU µs/request 1 KB',
    digits: 1,
  }),
  cpuPerTranslatedLargeRequestUs: costPer('answered', 'translated100KB', {
    title: 'translated CPU µs/request 100 KB',
    digits: 0,
  }),
  cpuPerTranslatedChunkUs: costPer('chunks', 'translatedFlood', { title: 'translated CPU µs/chunk flood', digits: 2 }),
  idleMB: { title: 'memory idle MB', digits: 0, value: (round) => round.idleMB },
  loadedMB: {
    title: 'memory load MB',
    digits: 0,
    value: (round) => Math.max(0, ...Object.values(round.measurements).map((m) => m.memoryMB)),
  },
  readyMs: { title: 'ready ms', digits: 0, value: (round) => round.readyMs },
  errors: {
    title: 'errors',
    digits: 0,
    value: (round) => Object.values(round.measurements).reduce((sum, m) => sum + m.refused + m.broken, 0),
  },
  foreignCores: {
    title: 'foreign cores',
    digits: 2,
    value: (round) => Math.max(0, ...Object.values(round.measurements).map((m) => m.foreignCores)),
  },
} as const satisfies Readonly<Record<string, Figure>>

export type FigureName = keyof typeof FIGURES
export type Figures = Readonly<Partial<Record<FigureName, Spread>>>

const FIGURE_NAMES = Object.keys(FIGURES).filter((name): name is FigureName => name in FIGURES)

export function figureOf(name: FigureName): Figure {
  return FIGURES[name]
}

/** The figures of one gateway; latencies minus those of `direct`, measured in the same run. */
export function summarise(rounds: readonly Round[], direct: readonly Round[]): Figures {
  const entries = FIGURE_NAMES.map((name) => [name, withoutDirect(figureOf(name), rounds, direct)] as const)
  return Object.fromEntries(entries.filter(([, spread]) => spread !== undefined))
}

function withoutDirect(figure: Figure, rounds: readonly Round[], direct: readonly Round[]): Spread | undefined {
  const spread = spreadOf(figure, rounds)
  if (!figure.added || !spread) return spread
  const base = spreadOf(figure, direct)?.median
  if (base === undefined) return undefined
  return { best: spread.best - base, median: spread.median - base, worst: spread.worst - base }
}

function spreadOf(figure: Figure, rounds: readonly Round[]): Spread | undefined {
  const all = values(figure, rounds)
  const quiet = values(
    figure,
    rounds.filter((round) => isQuiet(figure, round)),
  )
  if (all.length === 0) return undefined
  return { best: Math.min(...all), median: median(quiet.length > 0 ? quiet : all), worst: Math.max(...all) }
}

function values(figure: Figure, rounds: readonly Round[]): number[] {
  return rounds.map(figure.value).filter((value) => value !== undefined)
}

function isQuiet(figure: Figure, round: Round): boolean {
  const measurement = figure.scenario && round.measurements[figure.scenario]
  return !measurement || measurement.foreignCores <= QUIET_CORES
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2
}

function costPer(
  unit: 'answered' | 'chunks',
  scenario: ScenarioName,
  shown: { title: string; digits: number },
): Figure {
  return {
    ...shown,
    scenario,
    value: (round) => {
      const measurement = round.measurements[scenario]
      return measurement && measurement[unit] > 0 ? (measurement.cpuSeconds * 1e6) / measurement[unit] : undefined
    },
  }
}

function added(
  scenario: ScenarioName,
  kind: 'latencyUs' | 'firstTokenUs',
  percentile: 'p50' | 'p99',
  title: string,
): Figure {
  const value = (round: Round): number | undefined => round.measurements[scenario]?.[kind]?.[percentile]
  return { title, digits: 0, scenario, added: true, value }
}

/** From the mock's stamp to the client, not minus direct: nearly all of it is the gateway. */
function lag(percentile: 'p50' | 'p99', title: string): Figure {
  const value = (round: Round): number | undefined => round.measurements.pacedStreams?.chunkLagUs?.[percentile]
  return { title, digits: 0, scenario: 'pacedStreams', value }
}

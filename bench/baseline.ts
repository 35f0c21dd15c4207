import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { FigureName, Figures } from './figures.ts'

/** One unchanged program varies by this much between runs; only more than it is a regression. */
export const TOLERANCE = 0.15
/** Fewer rounds do not find a Node program's best. */
export const MIN_ROUNDS = 4

/** Costs over nginx's cost of the same kind, best rounds of both. Ratios only: a figure in µs is true of one machine. */
const RATIOS = {
  request1KB: { figure: 'cpuPerRequestUs', base: 'cpuPerRequestUs', gated: true },
  translated1KB: { figure: 'cpuPerTranslatedRequestUs', base: 'cpuPerRequestUs', gated: true },
  request100KB: { figure: 'cpuPerLargeRequestUs', base: 'cpuPerLargeRequestUs', gated: false },
  translated100KB: { figure: 'cpuPerTranslatedLargeRequestUs', base: 'cpuPerLargeRequestUs', gated: false },
  pacedChunk: { figure: 'cpuPerPacedChunkUs', base: 'cpuPerPacedChunkUs', gated: false },
  floodChunk: { figure: 'cpuPerFloodChunkUs', base: 'cpuPerFloodChunkUs', gated: false },
  translatedFloodChunk: { figure: 'cpuPerTranslatedChunkUs', base: 'cpuPerFloodChunkUs', gated: false },
} as const satisfies Record<string, { figure: FigureName; base: FigureName; gated: boolean }>

export type RatioName = keyof typeof RATIOS
export type Ratios = Readonly<Partial<Record<RatioName, number>>>

export interface Comparison {
  readonly name: RatioName
  readonly before: number
  readonly now: number | undefined
  /** Worse than the baseline by more than the tolerance, or not measured any more. */
  readonly worse: boolean
  /** nginx's own 100 KB and chunk figures vary by a third between runs, so those ratios are shown and do not fail. */
  readonly gated: boolean
}

const RATIO_NAMES = Object.keys(RATIOS).filter((name): name is RatioName => name in RATIOS)

export function ratiosOf(subject: Figures, nginx: Figures): Ratios {
  const entries = RATIO_NAMES.map((name) => {
    const [ours, theirs] = [subject[RATIOS[name].figure], nginx[RATIOS[name].base]]
    return [name, ours && theirs && Number((ours.best / theirs.best).toFixed(3))] as const
  })
  return Object.fromEntries(entries.filter(([, ratio]) => ratio !== undefined))
}

export function compare(now: Ratios, before: Ratios): Comparison[] {
  return RATIO_NAMES.flatMap((name) => {
    const [old, current] = [before[name], now[name]]
    if (old === undefined) return []
    const worse = current === undefined || current > old * (1 + TOLERANCE)
    return [{ name, before: old, now: current, worse, gated: RATIOS[name].gated }]
  })
}

export function readBaseline(file: string): Ratios | undefined {
  // Written by writeBaseline and reviewed in the repository.
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { ratios: Ratios }).ratios : undefined
}

export function writeBaseline(file: string, ratios: Ratios, rounds: number): void {
  const note = `KorProxy's CPU cost over nginx's, best of ${rounds} rounds. Written by: npm run bench -- --update-baseline`
  writeFileSync(file, `${JSON.stringify({ note, ratios }, undefined, 2)}\n`)
}

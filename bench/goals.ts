import type { FigureName, Figures } from './figures.ts'

/** A promise about the gateway's cost. `floor` must hold; `goal` is where it should go. */
export interface Goal {
  readonly title: string
  readonly unit: string
  readonly digits: number
  readonly floor: number
  readonly goal?: number
  readonly better: 'lower' | 'higher'
  readonly value: (subject: Figures, nginx: Figures) => number | undefined
}

export const GOALS: readonly Goal[] = [
  timesNginx('CPU per request, 1 KB', 'cpuPerRequestUs', { floor: 3.5, goal: 2.5 }),
  timesNginx('CPU per request, 100 KB', 'cpuPerLargeRequestUs', { floor: 4.5, goal: 2.5 }),
  timesNginx('CPU per chunk of a paced stream', 'cpuPerPacedChunkUs', { floor: 3, goal: 1.5 }),
  atMost('chunk lag p99 over 100 streams', 'chunkLagP99Us', { unit: 'µs', floor: 1500 }),
  {
    title: 'chunks of unpaced streams per core',
    unit: 'chunks/s',
    digits: 0,
    floor: 200_000,
    better: 'higher',
    value: ({ cpuPerFloodChunkUs }) => cpuPerFloodChunkUs && 1e6 / cpuPerFloodChunkUs.best,
  },
  atMost('added p50 at 1 connection', 'oneConnectionP50Us', { unit: 'µs', floor: 250, goal: 200 }),
  atMost('added p50 at 500/s', 'steadyP50Us', { unit: 'µs', floor: 250, goal: 200 }),
  beyond('added p99 at 1 connection, beyond nginx', 'oneConnectionP99Us'),
  beyond('added p99 at 500/s, beyond nginx', 'steadyP99Us'),
  timesNginx('CPU per translated request, 1 KB', 'cpuPerTranslatedRequestUs', { floor: 6 }, 'cpuPerRequestUs'),
  timesNginx(
    'CPU per translated request, 100 KB',
    'cpuPerTranslatedLargeRequestUs',
    { floor: 20 },
    'cpuPerLargeRequestUs',
  ),
  {
    title: 'a translated chunk, beyond a passed one',
    unit: 'µs',
    digits: 2,
    floor: 3,
    better: 'lower',
    value: ({ cpuPerTranslatedChunkUs: translated, cpuPerFloodChunkUs: passed }) =>
      translated && passed && translated.best - passed.best,
  },
  atMost('memory idle', 'idleMB', { unit: 'MB', floor: 100 }),
  atMost('memory under load', 'loadedMB', { unit: 'MB', floor: 180 }),
  atMost('start to first answer', 'readyMs', { unit: 'ms', floor: 400 }),
]

export function verdict(goal: Goal, value: number | undefined): 'goal' | 'met' | 'missed' | 'not measured' {
  if (value === undefined) return 'not measured'
  const reaches = (limit: number): boolean => (goal.better === 'lower' ? value <= limit : value >= limit)
  if (goal.goal !== undefined && reaches(goal.goal)) return 'goal'
  return reaches(goal.floor) ? 'met' : 'missed'
}

interface Limits {
  readonly floor: number
  readonly goal?: number
}

/** The best rounds of both: what a program costs when nothing disturbs it. */
function timesNginx(title: string, figure: FigureName, limits: Limits, base: FigureName = figure): Goal {
  return {
    title,
    unit: 'x nginx',
    digits: 2,
    better: 'lower',
    ...limits,
    value: (subject, nginx) => {
      const [ours, theirs] = [subject[figure], nginx[base]]
      return ours && theirs && ours.best / theirs.best
    },
  }
}

function atMost(title: string, figure: FigureName, limits: Limits & { readonly unit: string }): Goal {
  return { title, digits: 0, better: 'lower', ...limits, value: (subject) => subject[figure]?.median }
}

function beyond(title: string, figure: FigureName): Goal {
  return {
    title,
    unit: 'µs',
    digits: 0,
    floor: 1000,
    better: 'lower',
    value: (subject, nginx) => {
      const [ours, theirs] = [subject[figure], nginx[figure]]
      return ours && theirs && ours.median - theirs.median
    },
  }
}

import { readFileSync, writeFileSync } from 'node:fs'
import type { Comparison } from './baseline.ts'
import { TOLERANCE } from './baseline.ts'
import { type FigureName, type Figures, figureOf } from './figures.ts'
import { GOALS, type Goal, verdict } from './goals.ts'

/** Everything that is told about a run. */
export interface Report {
  readonly when: string
  readonly machine: string
  readonly rounds: number
  readonly subject: string
  readonly figures: ReadonlyMap<string, Figures>
}

/** Figures are split over tables that fit a page. */
const TABLES: readonly (readonly FigureName[])[] = [
  [
    'cpuPerRequestUs',
    'requestsPerSecond',
    'cpuPerLargeRequestUs',
    'idleMB',
    'loadedMB',
    'readyMs',
    'errors',
    'foreignCores',
  ],
  ['oneConnectionP50Us', 'oneConnectionP99Us', 'steadyP50Us', 'steadyP99Us', 'firstTokenP50Us', 'firstTokenP99Us'],
  ['chunkLagP50Us', 'chunkLagP99Us', 'cpuPerPacedChunkUs', 'cpuPerFloodChunkUs', 'floodChunksPerSecond'],
  ['cpuPerTranslatedRequestUs', 'cpuPerTranslatedLargeRequestUs', 'cpuPerTranslatedChunkUs'],
]

export function renderReport(report: Report): string {
  const tables = TABLES.map((names) => figureTable(report, names)).filter((text) => text !== '')
  return [...tables, goalTable(report)].join('\n\n')
}

/** `korproxy: 2.91 x nginx (CPU per request, best of 4 rounds)`: a line that scripts read. */
export function ratioLine(report: Report): string {
  const ratio = ratioTo(report.figures.get(report.subject), report.figures.get('nginx'))
  return `${report.subject}: ${ratio?.toFixed(2) ?? '-'} x nginx (CPU per request, best of ${report.rounds} ${report.rounds === 1 ? 'round' : 'rounds'})`
}

export function renderComparison(comparisons: readonly Comparison[]): string {
  const rows = comparisons.map(({ name, before, now, worse, gated }) => {
    const failed = gated ? `WORSE by more than ${TOLERANCE * 100} %` : 'higher (not gated)'
    return [name, before.toFixed(2), now?.toFixed(2) ?? 'not measured', worse ? failed : 'ok']
  })
  return table([['x nginx', 'baseline', 'now', 'verdict'], ...rows])
}

/** Replaces the block of a run in a page. */
export function writeDocs(file: string, report: Report): void {
  const intro = `${report.when.slice(0, 10)}, ${report.machine}. Medians of ${report.rounds} interleaved rounds; ratios from the best rounds.`
  writeBlock(file, 'bench', [intro, renderReport(report), `\`${ratioLine(report)}\``].join('\n\n'))
}

/** Replaces what a page has between `<!-- NAME:begin -->` and `<!-- NAME:end -->`. */
export function writeBlock(file: string, name: string, text: string): void {
  const page = readFileSync(file, 'utf8')
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`]
  const [from, to] = [page.indexOf(begin), page.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${file} has no block ${begin} … ${end}`)
  writeFileSync(file, `${page.slice(0, from)}${begin}\n\n${text}\n\n${page.slice(to)}`)
}

function ratioTo(ours: Figures | undefined, theirs: Figures | undefined): number | undefined {
  const [cost, base] = [ours?.cpuPerRequestUs, theirs?.cpuPerRequestUs]
  return cost && base && cost.best / base.best
}

function figureTable(report: Report, names: readonly FigureName[]): string {
  const shown = names.filter((name) => [...report.figures.values()].some((figures) => figures[name]))
  if (shown.length === 0) return ''
  const withRatio = shown.includes('cpuPerRequestUs')
  const head = ['gateway', ...(withRatio ? ['x nginx', 'min–max'] : []), ...shown.map((name) => figureOf(name).title)]
  const rows = [...report.figures].map(([gateway, figures]) => [
    gateway,
    ...(withRatio ? ratioCells(figures, report.figures.get('nginx')) : []),
    ...shown.map((name) => format(figures[name]?.median, figureOf(name).digits)),
  ])
  return table([head, ...rows])
}

function ratioCells(figures: Figures, nginx: Figures | undefined): string[] {
  const cost = figures.cpuPerRequestUs
  const range = cost ? `${format(cost.best, 1)}–${format(cost.worst, 1)}` : '-'
  return [format(ratioTo(figures, nginx) || undefined, 2), range]
}

function goalTable(report: Report): string {
  const rows = GOALS.map((goal) => {
    const value = goal.value(report.figures.get(report.subject) ?? {}, report.figures.get('nginx') ?? {})
    return [goal.title, withUnit(goal, value), limit(goal, goal.floor), limit(goal, goal.goal), verdict(goal, value)]
  })
  return table([[report.subject, 'measured', 'must', 'goal', 'verdict'], ...rows])
}

function limit(goal: Goal, value: number | undefined): string {
  return value === undefined ? '' : `${goal.better === 'lower' ? '≤' : '≥'} ${value.toLocaleString('en')}`
}

function withUnit(goal: Goal, value: number | undefined): string {
  return value === undefined ? '-' : `${format(value, goal.digits)} ${goal.unit}`
}

function format(value: number | undefined, digits: number): string {
  return value?.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits }) ?? '-'
}

/** Markdown, padded so that it reads well in a terminal too. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`)
  return [lines[0], `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...lines.slice(1)].join('\n')
}

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compare, MIN_ROUNDS, type Ratios, ratiosOf, readBaseline, writeBaseline } from './baseline.ts'
import { type Figures, type Round, summarise } from './figures.ts'
import { extraGateways, type Gateway, korproxy, limits, peers } from './gateways.ts'
import { type Bench, type Measurement, measure } from './measure.ts'
import { type Options, readOptions, USAGE } from './options.ts'
import { type Places, placesFor } from './places.ts'
import { machineDescription } from './processes.ts'
import { type Report, ratioLine, renderComparison, renderReport, writeDocs } from './report.ts'
import { assertPortsFree, type Children, type Running, startGateway, startMock, stop } from './running.ts'
import { SCENARIOS, type Scenario, type ScenarioName } from './scenarios.ts'
import { setUp, setUpPeers } from './setup.ts'

const EXIT_FAILED = 1
const EXIT_USAGE = 2
const EXIT_WORSE = 3
/** Enough requests for the JIT to have compiled the hot path. */
const JIT_WARMUP: Scenario = { name: 'warm-up', body: 'small', connections: 64, warmupS: 0 }
const JIT_WARMUP_S = 2

/** What a run leaves in bench/results. */
interface Results {
  readonly when: string
  readonly machine: string
  readonly rounds: Readonly<Record<string, readonly Round[]>>
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2))
  if (options.help) {
    process.stdout.write(USAGE)
    return 0
  }
  const places = placesFor(options.port)
  const results = options.from ? readResults(options.from) : await measureAll(places, options)
  const report = reportOf(results, options)
  say(`\n${renderReport(report)}\n`)
  if (options.writeDocs) writeDocs(join(places.repository, 'docs', 'performance.md'), report)
  const status = judge(report, options)
  say(ratioLine(report))
  return status
}

async function measureAll(places: Places, options: Options): Promise<Results> {
  setUp(places)
  if (options.peers) setUpPeers(places)
  const gateways = chooseGateways(places, options)
  const scenarios = chooseScenarios(options)
  await assertPortsFree(places)
  const children: Children = new Set()
  stopOnSignal(children)
  try {
    const mock = await startMock(places, children)
    const bench = { places, mockPid: mock.pid ?? 0, windowS: options.seconds }
    const rounds = await measureRounds({ bench, gateways, scenarios, children }, options.rounds)
    return saveResults(places, { when: new Date().toISOString(), machine: machineDescription(), rounds })
  } finally {
    for (const child of children) await stop(child)
  }
}

interface Plan {
  readonly bench: Bench
  readonly gateways: readonly Gateway[]
  readonly scenarios: readonly (Scenario & { readonly name: ScenarioName })[]
  readonly children: Children
}

/** Interleaved, so that a slow minute of the machine meets all gateways: round 1 of all, round 2 of all … */
async function measureRounds(plan: Plan, count: number): Promise<Record<string, Round[]>> {
  const rounds: Record<string, Round[]> = Object.fromEntries(plan.gateways.map(({ name }) => [name, []]))
  for (let index = 1; index <= count; index++) {
    for (const gateway of plan.gateways) {
      try {
        const round = await measureRound(plan, gateway)
        rounds[gateway.name]?.push(round)
        note(`round ${index} ${gateway.name}: ${brief(round)}`)
      } catch (error) {
        note(`round ${index} ${gateway.name}: FAILED, ${error instanceof Error ? error.message : error}`)
      }
    }
  }
  return rounds
}

async function measureRound(plan: Plan, gateway: Gateway): Promise<Round> {
  const running = await startGateway(plan.bench.places, gateway, plan.children)
  try {
    const { readyMs, idleMB } = running
    await measure({ ...plan.bench, windowS: gateway.warmupS ?? JIT_WARMUP_S }, running, JIT_WARMUP)
    return { readyMs, idleMB, measurements: await measureScenarios(plan, running) }
  } finally {
    await stop(running.child)
  }
}

async function measureScenarios(plan: Plan, running: Running): Promise<Round['measurements']> {
  const measurements: Partial<Record<ScenarioName, Measurement>> = {}
  for (const scenario of plan.scenarios) {
    if (scenario.translated && !running.translates) continue
    measurements[scenario.name] = await measure(plan.bench, running, scenario)
  }
  return measurements
}

function chooseGateways(places: Places, options: Options): Gateway[] {
  const all = [
    ...limits(places),
    ...korproxy(places),
    ...(options.peers ? peers(places) : []),
    ...(options.extra ? extraGateways(places, options.extra) : []),
  ]
  const unknown = options.only?.filter((name) => !all.some((gateway) => gateway.name === name)) ?? []
  if (unknown.length > 0) throw new Error(`no such gateway: ${unknown.join(', ')}`)
  return all.filter((gateway) => options.only?.includes(gateway.name) ?? true)
}

function chooseScenarios(options: Options): Plan['scenarios'] {
  const unknown = options.scenarios?.filter((name) => !SCENARIOS.some((scenario) => scenario.name === name)) ?? []
  if (unknown.length > 0) throw new Error(`no such scenario: ${unknown.join(', ')}`)
  return SCENARIOS.filter((scenario) => options.scenarios?.includes(scenario.name) ?? true)
}

function reportOf(results: Results, options: Options): Report {
  const direct = results.rounds['direct'] ?? []
  const measured = Object.entries(results.rounds).filter(([, rounds]) => rounds.length > 0)
  return {
    when: results.when,
    machine: results.machine,
    rounds: results.rounds[options.subject]?.length ?? 0,
    subject: options.subject,
    figures: new Map(measured.map(([name, rounds]) => [name, summarise(rounds, direct)])),
  }
}

/** Compares with the baseline, or becomes it. Returns the exit code. */
function judge(report: Report, options: Options): number {
  const [subject, nginx] = [report.figures.get(report.subject), report.figures.get('nginx')]
  if (!subject?.cpuPerRequestUs || !nginx?.cpuPerRequestUs) {
    say(`${report.subject} and nginx must both be measured: no verdict`)
    return EXIT_FAILED
  }
  if (subject.errors && subject.errors.worst > 0) {
    say(`${report.subject} failed ${subject.errors.worst} requests in a round: no verdict`)
    return EXIT_FAILED
  }
  if (report.rounds < MIN_ROUNDS) {
    say(`no verdict on the baseline: ${MIN_ROUNDS} rounds are needed, not ${report.rounds}`)
    return options.updateBaseline ? EXIT_FAILED : 0
  }
  const ratios = ratiosOf(subject, nginx)
  if (!options.updateBaseline) return judgeRatios(ratios, options)
  if (options.scenarios) {
    say('a baseline needs all scenarios: leave --scenarios out')
    return EXIT_FAILED
  }
  writeBaseline(options.baseline, ratios, report.rounds)
  say(`wrote ${options.baseline}`)
  return 0
}

function judgeRatios(ratios: Ratios, options: Options): number {
  const baseline = readBaseline(options.baseline)
  if (!baseline) {
    say('no baseline yet: write one with --update-baseline')
    return 0
  }
  // What the user left out is no regression; what could not be measured is one.
  const comparisons = compare(ratios, baseline).filter(({ now }) => now !== undefined || !options.scenarios)
  say(`${renderComparison(comparisons)}\n`)
  return comparisons.some(({ worse, gated }) => worse && gated) ? EXIT_WORSE : 0
}

function readResults(file: string): Results {
  // Written by saveResults of an earlier run.
  return JSON.parse(readFileSync(file, 'utf8')) as Results
}

function saveResults(places: Places, results: Results): Results {
  const file = join(places.results, `${results.when.replaceAll(/[:.]/g, '-')}.json`)
  writeFileSync(file, `${JSON.stringify(results, undefined, 1)}\n`)
  note(`raw results: ${file}`)
  return results
}

function brief(round: Round): string {
  const figures: Figures = summarise([round], [])
  const { cpuPerRequestUs: cost, requestsPerSecond: rate, errors, foreignCores: foreign } = figures
  const parts = [`${cost?.best.toFixed(1) ?? '-'} µs CPU/request`, `${rate?.best.toFixed(0) ?? '-'} requests/s`]
  return `${parts.join(', ')}, ${errors?.best ?? 0} errors, foreign ${foreign?.best.toFixed(2) ?? '-'} cores`
}

function stopOnSignal(children: Children): void {
  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(signal, async () => {
      await Promise.all([...children].map(stop))
      process.exit(status)
    })
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Progress goes to stderr; stdout holds only the report. */
function note(line: string): void {
  process.stderr.write(`${line}\n`)
}

try {
  process.exitCode = await main()
} catch (error) {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  note(error instanceof Error ? error.message : String(error))
  process.exitCode = code.startsWith('ERR_PARSE_ARGS') ? EXIT_USAGE : EXIT_FAILED
}

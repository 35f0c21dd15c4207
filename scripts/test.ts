import { spawnSync } from 'node:child_process'
import { globSync, mkdirSync, readFileSync } from 'node:fs'
import { buildProgram } from './build.ts'
import { runChecks } from './check.ts'
import { buildKubernetes, whyNoPods } from './kubernetes.ts'

const OUTPUT = '.tap/suite.tap'
/** Tests with real pods: one after the other, each with a cluster of its own. */
const POD_TESTS = 'test/e2e/**/*.test.ts'

interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** tap closes a run with `# { total: 42, pass: 40, fail: 1, skip: 1 }`. */
function readCounts(output: string): Counts | undefined {
  const summary = output.match(/^# \{ total: .*\}$/gm)?.at(-1)
  if (summary === undefined) return undefined
  const count = (name: string): number => Number(summary.match(new RegExp(`\\b${name}: (\\d+)`))?.[1] ?? 0)
  return { passed: count('pass'), failed: count('fail'), skipped: count('skip') + count('todo') }
}

const DIAGNOSTIC_LINES = 25

/** Each failed test with its first lines of diagnosis: the reporter prints none where there is no terminal. */
function failureReports(output: string): string[] {
  const lines = output.split('\n')
  const starts = lines.flatMap((line, index) => (/^\s*not ok /.test(line) ? [index] : []))
  return starts.map((start) => {
    const end = lines.findIndex((line, index) => index > start && /^\s*(\.\.\.$|(not )?ok )/.test(line))
    return lines.slice(start, Math.min(end === -1 ? lines.length : end, start + DIAGNOSTIC_LINES)).join('\n')
  })
}

const NOTHING: Counts = { passed: 0, failed: 0, skipped: 0 }

function runTap(args: readonly string[]): Counts {
  const tap = spawnSync('tap', ['--reporter=terse', `--output-file=${OUTPUT}`, ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, KORPROXY_TEST_RUN_PID: String(process.pid) },
  })
  const output = readFileSync(OUTPUT, 'utf8')
  for (const report of failureReports(output)) console.log(report)
  const counts = readCounts(output)
  if (counts === undefined) console.log('the test run ended without a summary')
  const { passed, failed, skipped } = counts ?? { ...NOTHING, failed: 1 }
  if (tap.status !== 0) console.log(`tap ended with ${tap.signal ?? `exit code ${tap.status}`}`)
  return { passed, failed: tap.status === 0 ? failed : Math.max(failed, 1), skipped }
}

function runPodTests(): Counts {
  const podTests = globSync(POD_TESTS)
  const reason = podTests.length === 0 ? 'there are none' : whyNoPods()
  if (reason === undefined) return runTap(['--jobs=1', ...podTests])
  console.log(`tests with real pods skipped (files: ${podTests.length}): ${reason}`)
  return { ...NOTHING, skipped: podTests.length }
}

const files = process.argv.slice(2)
const everything = files.length === 0
const failedChecks = everything ? runChecks() : []
await buildProgram()
if (everything) buildKubernetes()
mkdirSync('.tap', { recursive: true })
const runs = [runTap(files), everything ? runPodTests() : NOTHING]
if (failedChecks.length > 0) console.log(`checks failed: ${failedChecks.join(', ')}`)
const sum = (count: keyof Counts): number => runs.reduce((total, run) => total + run[count], 0)
const failed = sum('failed') + failedChecks.length
console.log(`${sum('passed')} passed, ${failed} failed, ${sum('skipped')} skipped`)
process.exitCode = failed === 0 && sum('passed') > 0 ? 0 : 1

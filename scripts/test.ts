import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { buildProgram } from './build.ts'
import { runChecks } from './check.ts'

const OUTPUT = '.tap/suite.tap'

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

const files = process.argv.slice(2)
const failedChecks = files.length === 0 ? runChecks() : []
await buildProgram()
mkdirSync('.tap', { recursive: true })
const tap = spawnSync('tap', ['--reporter=terse', `--output-file=${OUTPUT}`, ...files], {
  stdio: ['ignore', 'inherit', 'inherit'],
})
const counts = readCounts(readFileSync(OUTPUT, 'utf8'))
if (failedChecks.length > 0) console.log(`checks failed: ${failedChecks.join(', ')}`)
if (counts === undefined) console.log('the test run ended without a summary')
const { passed, failed, skipped } = counts ?? { passed: 0, failed: 1, skipped: 0 }
console.log(`${passed} passed, ${failed + failedChecks.length} failed, ${skipped} skipped`)
process.exitCode = tap.status === 0 && failed + failedChecks.length === 0 && passed > 0 ? 0 : 1

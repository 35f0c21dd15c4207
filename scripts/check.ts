import { spawnSync } from 'node:child_process'

const STEPS: readonly (readonly [string, ...string[]])[] = [
  ['tsc', '-p', '.'],
  ['biome', 'check', '--max-diagnostics=50'],
  ['knip', '--no-progress'],
  ['jscpd', 'src', '--silent', '--threshold', '1.5', '--min-tokens', '70', '--reporters', 'consoleFull'],
]

/** Types, lint, dead code and copies. Returns the names of the steps that failed. */
export function runChecks(): string[] {
  const failed: string[] = []
  for (const [command, ...args] of STEPS) {
    const { status } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] })
    if (status !== 0) failed.push(command)
  }
  return failed
}

if (import.meta.main) {
  const failed = runChecks()
  if (failed.length > 0) {
    console.error(`check: failed: ${failed.join(', ')}`)
    process.exitCode = 1
  }
}

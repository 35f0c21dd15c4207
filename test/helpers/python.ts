import { execFile, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Test } from 'tap'

const CACHE = join(import.meta.dirname, '..', '..', '.cache')
const run = promisify(execFile)

/** Runs a program of `test/sdk/python` and gives the JSON it prints. */
export type PythonRunner = (program: string, args: readonly string[]) => Promise<unknown>

/**
 * A Python with these packages, made once in `.cache/venv-<hash>`. Without Python the test is skipped with a line that says so;
 * where `CI` is set it fails instead.
 */
export async function startPython(t: Test, requirements: readonly string[]): Promise<PythonRunner | undefined> {
  const found = spawnSync('python3', ['-c', 'import venv, ensurepip'], { encoding: 'utf8' })
  if (found.status !== 0) {
    const reason = 'no python3 with venv on this machine: the Python SDKs are not tested'
    if (process.env['CI'] === undefined) t.plan(0, reason)
    else t.fail(reason)
    return undefined
  }
  const python = await makeEnvironment(requirements)
  return async (program, args) => {
    const path = join(import.meta.dirname, '..', 'sdk', 'python', program)
    const { stdout } = await run(python, [path, ...args], { maxBuffer: 16 * 1024 * 1024, timeout: 120_000 })
    return JSON.parse(stdout)
  }
}

/** Installing takes half a minute; the stamp is written last, so that a broken installation is made anew. */
async function makeEnvironment(requirements: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(requirements.join('\n')).digest('hex').slice(0, 12)
  const folder = join(CACHE, `venv-${hash}`)
  const stamp = join(folder, 'complete')
  const python = join(folder, 'bin', 'python')
  if (existsSync(stamp)) return python
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(CACHE, { recursive: true })
  await run('python3', ['-m', 'venv', folder])
  await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...requirements], {
    timeout: 540_000,
  })
  writeFileSync(stamp, `${requirements.join('\n')}\n`)
  return python
}

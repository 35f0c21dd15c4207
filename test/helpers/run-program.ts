import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

export interface Finished {
  readonly stdout: string
  readonly stderr: string
  /** Exit code; 128 when a signal ended it. */
  readonly code: number
}

export interface RunOptions {
  readonly stdin?: string
  /** Inherit: what it says on standard error is shown at once, and `stderr` is empty. */
  readonly stderr?: 'Capture' | 'Inherit'
}

/** Runs a program to its end. */
export async function runProgram(
  program: string,
  args: readonly string[],
  { stdin = '', stderr = 'Capture' }: RunOptions = {},
): Promise<Finished> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', stderr === 'Inherit' ? 'inherit' : 'pipe'] })
  const ended = new Promise<number>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve(code ?? 128))
  })
  // A program that ends without reading its input is judged by its exit code.
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(stdin)
  const [output, errors, code] = await Promise.all([
    child.stdout === null ? '' : text(child.stdout),
    child.stderr === null ? '' : text(child.stderr),
    ended,
  ])
  return { stdout: output, stderr: errors, code }
}

/** Runs a program that must succeed; gives what it printed, without the last line break. */
export async function mustRun(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { stdout, stderr, code } = await runProgram(program, args, options)
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} failed (${code}): ${stderr}${stdout}`)
  return stdout.trimEnd()
}

/** Path of a script in test/cluster. */
export function clusterScript(name: string): string {
  return fileURLToPath(new URL(`../cluster/${name}`, import.meta.url))
}

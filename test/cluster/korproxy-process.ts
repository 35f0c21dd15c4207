import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A line of a program's log. */
export interface LogLine {
  readonly msg: string
  readonly level: string
  readonly component: string
  readonly [field: string]: unknown
}

export interface KorproxyProcessOptions {
  /** Other program file than the sources, e.g. that of a build. */
  readonly program?: string
  /** Each line as it arrives. */
  readonly onLine?: (line: LogLine) => void
}

/** A `korproxy` process, and what it has logged so far. */
export class KorproxyProcess {
  readonly lines: LogLine[] = []
  /** What it wrote that is no log: nothing, if all is well. */
  readonly stray: string[] = []
  /** Exit code or signal. */
  readonly ended: Promise<number | NodeJS.Signals>
  readonly #child: ChildProcess
  readonly #waiters = new Set<() => void>()
  #outcome: number | NodeJS.Signals | undefined

  constructor(args: readonly string[], options: KorproxyProcessOptions = {}) {
    const program = options.program ?? fileURLToPath(new URL('../../src/cli/launch.ts', import.meta.url))
    const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (text) => this.#take(text, options.onLine))
    }
    this.ended = new Promise((resolve) => {
      child.on('close', (code, signal) => {
        this.#outcome = code ?? signal ?? -1
        for (const wake of this.#waiters) wake()
        resolve(this.#outcome)
      })
    })
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('not started')
    return this.#child.pid
  }

  get running(): boolean {
    return this.#outcome === undefined
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Ends it, frozen or not. */
  async kill(): Promise<void> {
    this.signal('SIGKILL')
    await this.ended
  }

  /** The first line with this message, from now on or before. @throws when the process ends without it */
  async logged(message: string, matches: (line: LogLine) => boolean = () => true): Promise<LogLine> {
    for (let at = 0; ; at += 1) {
      while (at >= this.lines.length) await this.#more(message)
      const line = this.lines[at]
      if (line?.msg === message && matches(line)) return line
    }
  }

  async #more(message: string): Promise<void> {
    if (this.#outcome !== undefined) {
      const last = [...this.lines.slice(-5).map((line) => JSON.stringify(line)), ...this.stray.slice(-5)]
      throw new Error(`ended (${this.#outcome}) before '${message}': ${last.join('\n')}`)
    }
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        this.#waiters.delete(wake)
        resolve()
      }
      this.#waiters.add(wake)
    })
  }

  #take(text: string, onLine: ((line: LogLine) => void) | undefined): void {
    const line = readLine(text)
    if (line === undefined) this.stray.push(text)
    else {
      this.lines.push(line)
      onLine?.(line)
    }
    for (const wake of [...this.#waiters]) wake()
  }
}

function readLine(text: string): LogLine | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

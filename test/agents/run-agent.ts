import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Agent, AgentRun } from './agents.ts'

/** An agent that hangs is a failure, not a wait. */
const TURN_TIMEOUT_MS = 90_000

export interface Turn {
  readonly code: number | null
  /** Standard output and error, one after the other. */
  readonly output: string
}

/**
 * One turn of an agent in a home and a working folder of its own. It sees no variable of this process but `PATH`, and nothing that
 * it started outlives it.
 */
export async function runAgent(agent: Agent, folder: string, run: Omit<AgentRun, 'home'>): Promise<Turn> {
  const home = mkdtempSync(join(tmpdir(), 'korproxy-agent-'))
  const work = join(home, 'work')
  mkdirSync(work)
  const { args, environment } = agent.prepare({ ...run, home })
  const child = spawn(join(folder, 'node_modules', '.bin', agent.binary), args, {
    cwd: work,
    // A group of its own, so that its helpers can be ended with it.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: home, TMPDIR: home, TERM: 'dumb', NO_COLOR: '1', CI: '1', ...environment },
  })
  const timer = setTimeout(() => endGroup(child.pid), TURN_TIMEOUT_MS)
  try {
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', resolve)
    })
    const outputs = Promise.all([text(child.stdout), text(child.stderr)])
    const code = await ended
    endGroup(child.pid)
    return { code, output: (await outputs).join('\n') }
  } finally {
    clearTimeout(timer)
    endGroup(child.pid)
    rmSync(home, { recursive: true, force: true, maxRetries: 5 })
  }
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    // Nobody left in the group: that is what was wanted.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

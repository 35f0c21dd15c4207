import type { Logger } from 'pino'
import type { Problem } from '#resources/resource.ts'
import { logProblem } from './log-problem.ts'
import { formatProblem } from './sources/format-problem.ts'

/** Logs what is wrong with the configuration of a cluster: each problem once, however often the objects are looked at. */
export class ProblemLog {
  readonly #log: Pick<Logger, 'info' | 'warn' | 'error'>
  #told: readonly Problem[] = []

  constructor(log: Pick<Logger, 'info' | 'warn' | 'error'>) {
    this.#log = log
  }

  /** What there is now. */
  get told(): readonly Problem[] {
    return this.#told
  }

  tell(problems: readonly Problem[]): void {
    const known = new Set(this.#told.map(keyOf))
    for (const problem of problems) if (!known.has(keyOf(problem))) logProblem(this.#log, problem)
    if (problems.length === 0 && this.#told.length > 0) this.#log.info('the configuration has no problems any more')
    this.#told = problems
  }
}

function keyOf(problem: Problem): string {
  return `${problem.ref.namespace} ${formatProblem(problem)}`
}

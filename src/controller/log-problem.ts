import type { Logger } from 'pino'
import { ERRORS } from '#errors/registry.ts'
import type { Problem } from '#resources/resource.ts'
import { formatProblem } from './sources/format-problem.ts'

/** One line, at the level of the problem's code. */
export function logProblem(log: Pick<Logger, 'warn' | 'error'>, problem: Problem): void {
  const level = ERRORS[problem.code].severity === 'warning' ? 'warn' : 'error'
  log[level]({ code: problem.code, object: problem.ref }, formatProblem(problem))
}

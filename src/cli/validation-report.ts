import { formatProblem } from '#controller/sources/format-problem.ts'
import type { ErrorCode } from '#errors/registry.ts'
import { KINDS } from '#resources/kinds.ts'
import type { Problem, ResourceSet } from '#resources/resource.ts'
import { severityOf } from './load-configuration.ts'
import { countOf } from './output.ts'

interface ReportedProblem {
  readonly code: ErrorCode
  readonly severity: 'warning' | 'error'
  readonly file?: string
  readonly line?: number
  readonly column?: number
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly field: string
  readonly message: string
}

export interface ValidationReport {
  /** e.g. `2 ProviderAccounts, 1 Secret`. */
  readonly objects: string
  readonly errors: number
  readonly warnings: number
  readonly problems: readonly ReportedProblem[]
  /** For people, `file:line:column KP-CONF-2nn field: message`. */
  readonly lines: readonly string[]
}

/** What `config validate` says of a configuration. */
export function validationReport(set: ResourceSet, problems: readonly Problem[]): ValidationReport {
  const reported = problems.map(reportProblem)
  const errors = reported.filter(({ severity }) => severity === 'error').length
  return {
    objects: countObjects(set),
    errors,
    warnings: reported.length - errors,
    problems: reported,
    lines: problems.map((problem) => `${formatProblem(problem)}\n`),
  }
}

function reportProblem(problem: Problem): ReportedProblem {
  const { code, ref, path, message, position } = problem
  return { code, severity: severityOf(problem), ...position, ...ref, field: path, message }
}

function countObjects({ resources, secrets }: ResourceSet): string {
  const counts = Object.keys(KINDS).map(
    (kind) => [resources.filter((resource) => resource.kind === kind).length, kind] as const,
  )
  const named = [...counts, [secrets.length, 'Secret'] as const]
    .filter(([count]) => count > 0)
    .map(([count, kind]) =>
      kind.endsWith('y') && count !== 1 ? `${count} ${kind.slice(0, -1)}ies` : countOf(count, kind),
    )
  return named.length === 0 ? 'no objects' : named.join(', ')
}

import { ERRORS, type ErrorCode } from '#errors/registry.ts'
import type { Problem } from '#resources/resource.ts'
import type { Verdict } from './conditions.ts'

const SHOWN = 3

/** Problems that mean that something named is not there. */
const REFERENCE_REASONS: Partial<Record<ErrorCode, string>> = {
  'KP-CONF-206': 'SecretNotFound',
  'KP-CONF-207': 'ReferenceNotFound',
  'KP-CONF-210': 'CyclicReference',
}
/** Problems between objects that are no question of references. */
const CONFLICT_REASONS: Partial<Record<ErrorCode, string>> = {
  'KP-CONF-208': 'DuplicateDisplayName',
  'KP-CONF-209': 'DuplicateClientKey',
}

/** Of an object that is accepted, but that probably does not do what it was written for. */
export const WITH_WARNINGS = 'ValidWithWarnings'

/** @param validForm whether this form of the object is valid, or an older one, which stays in use */
export function acceptedVerdict(problems: readonly Problem[], validForm: 'Present' | 'Older' | 'None'): Verdict {
  const found = problems.filter(({ code }) => REFERENCE_REASONS[code] === undefined && isError(code))
  const [first] = found
  if (first === undefined) return validVerdict(problems.filter(({ code }) => !isError(code)))
  const stays = validForm === 'Older' ? ' The last valid form stays in use.' : ''
  return { status: 'False', reason: CONFLICT_REASONS[first.code] ?? 'Invalid', message: `${told(found)}${stays}` }
}

function validVerdict(warnings: readonly Problem[]): Verdict {
  if (warnings.length === 0) return { status: 'True', reason: 'Valid', message: 'The object is valid.' }
  return { status: 'True', reason: WITH_WARNINGS, message: told(warnings) }
}

export function resolvedRefsVerdict(problems: readonly Problem[], validForm: 'Present' | 'Older' | 'None'): Verdict {
  if (validForm === 'None') return { status: 'Unknown', reason: 'NotAccepted', message: 'The object is not valid.' }
  const found = problems.filter(({ code }) => REFERENCE_REASONS[code] !== undefined)
  const reason = found[0] && REFERENCE_REASONS[found[0].code]
  if (reason !== undefined) return { status: 'False', reason, message: told(found) }
  return { status: 'True', reason: 'ResolvedRefs', message: 'Everything that the object names exists.' }
}

function isError(code: ErrorCode): boolean {
  return ERRORS[code].severity !== 'warning'
}

/** `KP-CONF-203 spec.rules[2].name: must be …; … and 4 more`. */
function told(problems: readonly Problem[]): string {
  const shown = problems
    .slice(0, SHOWN)
    .map(({ code, path, message }) => `${code} ${path === '' ? '' : `${path}: `}${message}`)
  const rest = problems.length - shown.length
  return `${shown.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`.replace(/\.?$/, '.')
}

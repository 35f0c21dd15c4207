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

/** @param hasValidForm whether an older form of the object was valid, and stays in use */
export function acceptedVerdict(problems: readonly Problem[], validForm: 'Present' | 'Older' | 'None'): Verdict {
  const found = problems.filter(({ code }) => REFERENCE_REASONS[code] === undefined && isError(code))
  const [first] = found
  if (first === undefined) return { status: 'True', reason: 'Valid', message: 'The object is valid.' }
  const stays = validForm === 'Older' ? ' The last valid form stays in use.' : ''
  return { status: 'False', reason: CONFLICT_REASONS[first.code] ?? 'Invalid', message: `${told(found)}${stays}` }
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

import type { HeaderMatch, Profile, RuleMatch } from '#table/routing-table.ts'

/** A rule that no request gets to, and the earlier one that takes them all. */
export interface UnreachedRule {
  readonly rule: string
  readonly taker: string
}

/**
 * Rules that an earlier one leaves nothing. What only several earlier ones take together is not found, nor what a family has in
 * common with a glob.
 */
export function unreachedRules({ rules }: Profile): readonly UnreachedRule[] {
  const wants = rules.map(({ match }) => match)
  return rules.flatMap((rule, at): UnreachedRule[] => {
    const taker = rules.find((_, earlier) => earlier < at && takesAll(wants[earlier] ?? {}, rule.match))
    return taker === undefined ? [] : [{ rule: rule.name, taker: taker.name }]
  })
}

/** Whether every request that meets `later` meets `earlier` too. */
function takesAll(earlier: RuleMatch, later: RuleMatch): boolean {
  return (
    takesTexts(earlier.requestTypes, later.requestTypes, isSame) &&
    takesTexts(earlier.clients, later.clients, isSame) &&
    takesTexts(earlier.modelFamilies, later.modelFamilies, isSame) &&
    takesHeaders(earlier.headers, later.headers) &&
    takesTexts(earlier.models, later.models, takesGlob)
  )
}

type Takes = (earlier: string, later: string) => boolean

function takesTexts(earlier: readonly string[] = [], later: readonly string[] = [], takes: Takes): boolean {
  if (earlier.length === 0) return true
  return later.length > 0 && later.every((text) => earlier.some((known) => takes(known, text)))
}

function takesHeaders(earlier: readonly HeaderMatch[] = [], later: readonly HeaderMatch[] = []): boolean {
  return earlier.every((condition) =>
    later.some((other) => other.name === condition.name && takesHeader(condition, other)),
  )
}

function takesHeader(earlier: HeaderMatch, later: HeaderMatch): boolean {
  const { value = '' } = earlier
  const { value: other = '' } = later
  if (earlier.type === 'Present') return true
  if (later.type === 'Present') return false
  if (earlier.type === 'Glob') return takesGlob(value, later.type === 'Prefix' ? `${other}*` : other)
  if (earlier.type === 'Prefix') return later.type !== 'Glob' && other.startsWith(value)
  return later.type === 'Exact' && other === value
}

/** Whether all that the later glob matches is matched by the earlier one too; known for those with a single star. */
function takesGlob(earlier: string, later: string): boolean {
  if (earlier === later) return true
  const star = earlier.indexOf('*')
  if (star === -1 || star !== earlier.lastIndexOf('*') || earlier.includes('?')) return false
  const end = earlier.length - star - 1
  return (
    later.length >= star + end && later.startsWith(earlier.slice(0, star)) && later.endsWith(earlier.slice(star + 1))
  )
}

function isSame(earlier: string, later: string): boolean {
  return earlier === later
}

import type { HeaderMatch, Profile, Rule, RuleMatch } from '#table/routing-table.ts'

/** A rule that no request gets to, and the earlier one that takes them all. */
export interface UnreachedRule {
  readonly rule: string
  readonly taker: string
}

/**
 * Rules that an earlier one leaves nothing. What only several earlier ones take together is not found, nor what a family has in
 * common with a glob. The work hardly grows with the number of rules: this runs where requests are served.
 */
export function unreachedRules({ rules }: Profile): readonly UnreachedRule[] {
  const earlier = new Map<string, Rule[]>()
  return rules.flatMap((rule): UnreachedRule[] => {
    const candidates = keysOfTakers(rule.match).flatMap((key) => earlier.get(key) ?? [])
    const taker = candidates.find(({ match }) => takesAll(match, rule.match))
    for (const key of keysOf(rule.match)) addTo(earlier, key, rule)
    return taker === undefined ? [] : [{ rule: rule.name, taker: taker.name }]
  })
}

function addTo(rules: Map<string, Rule[]>, key: string, rule: Rule): void {
  const known = rules.get(key)
  if (known === undefined) rules.set(key, [rule])
  else known.push(rule)
}

/** Under which a rule is found by those that it may take everything from: one condition of it is enough. */
function keysOf({ clients = [], modelFamilies = [], models = [], headers = [] }: RuleMatch): readonly string[] {
  if (clients.length > 0) return clients.map((client) => `client ${client}`)
  if (modelFamilies.length > 0) return modelFamilies.map((family) => `family ${family}`)
  const [header] = headers
  if (header !== undefined) return [keyOfHeader(header)]
  return models.length > 0 ? models.map((model) => `model ${model.replace(/\*.*/, '*')}`) : ['any']
}

/** Of every list the first is enough: who takes all takes that too. */
function keysOfTakers({ clients = [], modelFamilies = [], models = [], headers = [] }: RuleMatch): readonly string[] {
  const [client] = clients
  const [family] = modelFamilies
  const [model] = models
  return [
    'any',
    ...(client === undefined ? [] : [`client ${client}`]),
    ...(family === undefined ? [] : [`family ${family}`]),
    ...headers.flatMap((header) => [...new Set([keyOfHeader(header), `header ${header.name}`])]),
    ...(model === undefined ? [] : [`model ${model}`, ...beginningsOf(model).map((text) => `model ${text}*`)]),
  ]
}

function keyOfHeader({ name, type, value }: HeaderMatch): string {
  return type === 'Exact' ? `header ${name} ${value}` : `header ${name}`
}

/** `a*` → the empty text, `a`. */
function beginningsOf(glob: string): readonly string[] {
  const literal = glob.replace(/\*.*/, '')
  return Array.from({ length: literal.length + 1 }, (_, length) => literal.slice(0, length))
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

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
  const earlier = new EarlierRules()
  const unreached: UnreachedRule[] = []
  for (const rule of rules) {
    const taker = earlier.takerOf(rule.match)
    if (taker !== undefined) unreached.push({ rule: rule.name, taker: taker.name })
    earlier.add(rule)
  }
  return unreached
}

/** Rules, each under one of its conditions: those that it may take everything from have to meet it. */
class EarlierRules {
  readonly #any: Rule[] = []
  readonly #byClient = new Map<string, Rule[]>()
  readonly #byFamily = new Map<string, Rule[]>()
  readonly #byHeader = new Map<string, Rule[]>()
  /** By what stands before the star. */
  readonly #byModel = new Map<string, Rule[]>()
  readonly #modelLengths = new Set<number>()

  add(rule: Rule): void {
    const { clients = [], modelFamilies = [], models = [], headers = [] } = rule.match
    const [header] = headers
    if (header !== undefined) addTo(this.#byHeader, keyOfHeader(header), rule)
    else if (models.length > 0) for (const model of models) this.#addModel(model, rule)
    else if (clients.length > 0) for (const client of clients) addTo(this.#byClient, client, rule)
    else if (modelFamilies.length > 0) for (const family of modelFamilies) addTo(this.#byFamily, family, rule)
    else this.#any.push(rule)
  }

  #addModel(model: string, rule: Rule): void {
    const literal = beforeStar(model)
    this.#modelLengths.add(literal.length)
    addTo(this.#byModel, literal, rule)
  }

  /** Of every list one entry is enough: who takes all takes that too. */
  takerOf(match: RuleMatch): Rule | undefined {
    const { clients: [client] = [], modelFamilies: [family] = [], models = [], headers = [] } = match
    const byClient = client === undefined ? undefined : this.#byClient.get(client)
    const byFamily = family === undefined ? undefined : this.#byFamily.get(family)
    const taker = takerAmong(this.#any, match) ?? takerAmong(byClient, match) ?? takerAmong(byFamily, match)
    return taker ?? this.#takerByHeader(headers, match) ?? this.#takerByModel(models, match)
  }

  #takerByHeader(headers: readonly HeaderMatch[], match: RuleMatch): Rule | undefined {
    if (this.#byHeader.size === 0) return undefined
    for (const header of headers) {
      const taker =
        takerAmong(this.#byHeader.get(keyOfHeader(header)), match) ?? takerAmong(this.#byHeader.get(header.name), match)
      if (taker !== undefined) return taker
    }
    return undefined
  }

  #takerByModel(models: readonly string[], match: RuleMatch): Rule | undefined {
    if (models.length === 0) return undefined
    // The longest is shared with the fewest.
    const literal = models.map(beforeStar).reduce((longest, text) => (text.length > longest.length ? text : longest))
    for (const length of this.#modelLengths) {
      const taker = length > literal.length ? undefined : takerAmong(this.#byModel.get(literal.slice(0, length)), match)
      if (taker !== undefined) return taker
    }
    return undefined
  }
}

function addTo(rules: Map<string, Rule[]>, key: string, rule: Rule): void {
  const known = rules.get(key)
  if (known === undefined) rules.set(key, [rule])
  else known.push(rule)
}

function takerAmong(rules: readonly Rule[] | undefined, match: RuleMatch): Rule | undefined {
  return rules?.find((rule) => takesAll(rule.match, match))
}

/** A name has no blank. */
function keyOfHeader({ name, type, value }: HeaderMatch): string {
  return type === 'Exact' ? `${name} ${value}` : name
}

function beforeStar(glob: string): string {
  const star = glob.indexOf('*')
  return star === -1 ? glob : glob.slice(0, star)
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

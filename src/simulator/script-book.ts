import { plainName, readTokens, scenarioOf, type TokenOrders } from './scenarios.ts'
import { parseScript, type Script, type ScriptMatch, type ScriptRule, scriptRuleSchema } from './script.ts'

export interface Candidate {
  readonly path: string
  readonly key: string | undefined
  /** Unknown while the body has not been read. */
  readonly model: string | undefined
  /** The header `x-mock-script`. */
  readonly header: string | undefined
}

/** Which script a request gets: header, then rules in the order they came, then tokens in the key, then tokens in the model's name. */
export interface ScriptBook {
  add(rule: ScriptRule): void
  /** Only scripts that begin before the body is read; rules that name a model cannot. */
  takeEarly(candidate: Candidate): Script | undefined
  take(candidate: Candidate): Script | undefined
  reset(): void
}

interface KeptRule {
  readonly match: ScriptMatch
  readonly script: Script
  left: number
}

export function createScriptBook(): ScriptBook {
  let rules: KeptRule[] = []
  let used = new Map<string, number>()

  const takeRule = (candidate: Candidate, accepts: (rule: KeptRule) => boolean) => {
    const rule = rules.find((kept) => kept.left > 0 && accepts(kept) && isMatch(kept.match, candidate))
    if (rule !== undefined) rule.left -= 1
    return rule?.script
  }
  /** `429x2` counts requests by the whole name it stands in. */
  const takeTokens = (name: string | undefined) => {
    const scenario = name === undefined ? undefined : readTokens(name).scenario
    if (name === undefined || scenario?.times === undefined) return scenario?.script
    const count = used.get(name) ?? 0
    used.set(name, count + 1)
    return count < scenario.times ? scenario.script : undefined
  }

  return {
    add(rule) {
      const { match, times, script } = scriptRuleSchema.parse(rule)
      rules.push({ match, left: times ?? Number.POSITIVE_INFINITY, script: readScript(script) })
    },
    takeEarly(candidate) {
      const header = readHeader(candidate.header)
      if (header !== undefined) return isEarly(header) ? header : undefined
      return takeRule(candidate, (rule) => isEarly(rule.script) && rule.match.model === undefined)
    },
    take(candidate) {
      return (
        readHeader(candidate.header) ??
        takeRule(candidate, () => true) ??
        takeTokens(candidate.key) ??
        takeTokens(candidate.model)
      )
    },
    reset() {
      rules = []
      used = new Map()
    },
  }
}

/** Pace of the stream that key and model ask for. */
export function paceOf(...names: readonly (string | undefined)[]): Pick<TokenOrders, 'chunks' | 'gapMs'> {
  const orders = names.map((name) => (name === undefined ? {} : readTokens(name)))
  const chunks = orders.find((order) => order.chunks !== undefined)?.chunks
  const gapMs = orders.find((order) => order.gapMs !== undefined)?.gapMs
  return { ...(chunks === undefined ? {} : { chunks }), ...(gapMs === undefined ? {} : { gapMs }) }
}

function isEarly(script: Script): boolean {
  const first = script[0]
  return first !== undefined && 'early' in first
}

function isMatch(match: ScriptMatch, { path, key, model }: Candidate): boolean {
  if (match.path !== undefined && !path.includes(match.path)) return false
  if (match.key !== undefined && match.key !== key) return false
  return (
    match.model === undefined || (model !== undefined && (match.model === model || match.model === plainName(model)))
  )
}

/** Steps or a scenario's name; throws for a name that is none. */
function readScript(script: unknown): Script {
  if (typeof script !== 'string') return parseScript(script)
  const found = scenarioOf(script)
  if (found === undefined) throw new RangeError(`Unknown scenario: ${script}`)
  return found
}

function readHeader(header: string | undefined): Script | undefined {
  if (header === undefined) return undefined
  return /^\s*[[{]/.test(header) ? parseScript(JSON.parse(header)) : readScript(header.trim())
}

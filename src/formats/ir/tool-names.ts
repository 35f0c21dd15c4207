import type { Tool } from './chat-request.ts'

export interface NameRule {
  /** One character that may stand anywhere in a name. */
  readonly allowed: RegExp
  readonly maxLength: number
  /** Gemini: a name must begin with a letter or underscore. */
  readonly letterFirst: boolean
}

/** Client's tool name ↔ name that a provider accepts; one-to-one within a request. */
export interface ToolNameMap {
  encode(name: string): string
  /** Only the names that changed: encoded → client's. */
  readonly changed: ReadonlyMap<string, string>
}

/** Cleans and shortens names that break the provider's rule, reversibly. */
export function toolNameMap(tools: readonly Tool[], historyNames: readonly string[], rule: NameRule): ToolNameMap {
  const encoded = new Map<string, string>()
  const taken = new Set<string>()
  for (const name of [...tools.map((tool) => tool.name), ...historyNames]) {
    if (encoded.has(name)) continue
    const free = firstFree(cleanName(name, rule), taken, rule.maxLength)
    taken.add(free)
    encoded.set(name, free)
  }
  return {
    encode: (name) => encoded.get(name) ?? name,
    changed: new Map([...encoded].filter(([from, to]) => from !== to).map(([from, to]) => [to, from])),
  }
}

function cleanName(name: string, rule: NameRule): string {
  const cleaned = [...name].map((char) => (rule.allowed.test(char) ? char : '_')).join('')
  const started = rule.letterFirst && !/^[A-Za-z_]/.test(cleaned) ? `_${cleaned}` : cleaned
  return started.slice(0, rule.maxLength) || '_'
}

function firstFree(name: string, taken: ReadonlySet<string>, maxLength: number): string {
  let free = name
  for (let count = 2; taken.has(free); count += 1) {
    const suffix = `_${count}`
    free = `${name.slice(0, maxLength - suffix.length)}${suffix}`
  }
  return free
}

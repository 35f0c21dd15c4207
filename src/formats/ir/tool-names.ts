import type { Tool } from './chat-request.ts'
import { FreeNames } from './free-names.ts'

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
  const free = new FreeNames(rule.maxLength)
  for (const name of [...tools.map((tool) => tool.name), ...historyNames]) {
    if (encoded.has(name)) continue
    encoded.set(name, free.take(cleanName(name, rule)))
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

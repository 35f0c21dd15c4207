import type { ReplyHeaders } from '#providers/provider.ts'

/** An allow-list of lower-case header names; a trailing `*` stands for any rest. */
export class HeaderAllowList {
  readonly #names = new Set<string>()
  readonly #prefixes: readonly string[]

  constructor(rules: readonly string[]) {
    for (const rule of rules) if (!rule.endsWith('*')) this.#names.add(rule)
    this.#prefixes = rules.filter((rule) => rule.endsWith('*')).map((rule) => rule.slice(0, -1))
  }

  allows(name: string): boolean {
    if (this.#names.has(name)) return true
    for (const prefix of this.#prefixes) if (name.startsWith(prefix)) return true
    return false
  }
}

/** Allow-lists by the provider's own array: built once, not per request. */
export class AllowLists {
  readonly #byRules = new WeakMap<readonly string[], HeaderAllowList>()

  get(rules: readonly string[]): HeaderAllowList {
    const known = this.#byRules.get(rules)
    if (known !== undefined) return known
    const list = new HeaderAllowList(rules)
    this.#byRules.set(rules, list)
    return list
  }
}

/** Adds the provider's reply headers that may pass to the client to `flat`. */
export function forwardedReplyHeaders(headers: ReplyHeaders, list: HeaderAllowList, flat: string[]): string[] {
  for (const name in headers) {
    if (!list.allows(name)) continue
    const value = headers[name]
    if (typeof value === 'string') flat.push(name, value)
    else for (const one of value ?? []) flat.push(name, one)
  }
  return flat
}

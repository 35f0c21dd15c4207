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
    return this.#names.has(name) || this.#prefixes.some((prefix) => name.startsWith(prefix))
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

/** The provider's reply headers that may pass to the client, flat. */
export function forwardedReplyHeaders(headers: ReplyHeaders, list: HeaderAllowList): string[] {
  const flat: string[] = []
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || !list.allows(name)) continue
    for (const one of typeof value === 'string' ? [value] : value) flat.push(name, one)
  }
  return flat
}

/** Names of what could not be carried over, each once, in the order of finding. */
export class Losses {
  readonly #names = new Set<string>()

  add(name: string): void {
    this.#names.add(name)
  }

  /** Adds the keys of `value` that are neither known nor empty, under `prefix`. */
  addUnknownKeys(value: object, known: ReadonlySet<string>, prefix: string): void {
    for (const [key, member] of Object.entries(value)) {
      if (member !== null && member !== undefined && !known.has(key)) this.#names.add(`${prefix}${key}`)
    }
  }

  get names(): readonly string[] {
    return [...this.#names]
  }
}

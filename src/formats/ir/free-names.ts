/** Hands out names that are each taken once, cut to the length: `name`, `name_2`, `name_3` … in linear time however many are alike. */
export class FreeNames {
  readonly #taken = new Set<string>()
  readonly #counts = new Map<string, number>()
  readonly #maxLength: number

  constructor(maxLength = Number.POSITIVE_INFINITY) {
    this.#maxLength = maxLength
  }

  take(name: string): string {
    const base = name.slice(0, this.#maxLength)
    let free = base
    let count = this.#counts.get(base) ?? 1
    while (this.#taken.has(free)) {
      count += 1
      const suffix = `_${count}`
      free = `${base.slice(0, this.#maxLength - suffix.length)}${suffix}`
    }
    this.#counts.set(base, count)
    this.#taken.add(free)
    return free
  }
}

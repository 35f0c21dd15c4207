import type { JsonMember } from './scan-json.ts'

/** Up to this many members are looked through one by one: requests have a dozen, and a map costs more than it saves. */
const FEW = 16

/** Members of a JSON object by key, in their order. */
export class JsonMembers {
  readonly #keys: string[] = []
  readonly #members: JsonMember[] = []
  #positions: Map<string, number> | undefined

  get size(): number {
    return this.#keys.length
  }

  get(key: string): JsonMember | undefined {
    const position = this.#positions === undefined ? this.#keys.indexOf(key) : this.#positions.get(key)
    return position === undefined ? undefined : this.#members[position]
  }

  has(key: string): boolean {
    return this.get(key) !== undefined
  }

  keys(): readonly string[] {
    return this.#keys
  }

  *[Symbol.iterator](): Iterator<readonly [key: string, member: JsonMember]> {
    for (const [position, key] of this.#keys.entries()) {
      const member = this.#members[position]
      if (member !== undefined) yield [key, member]
    }
  }

  /** The key must be a new one. */
  add(key: string, member: JsonMember): void {
    const position = this.#keys.push(key) - 1
    this.#members.push(member)
    if (this.#positions !== undefined) this.#positions.set(key, position)
    else if (position >= FEW) this.#positions = new Map(this.#keys.map((known, at) => [known, at]))
  }
}

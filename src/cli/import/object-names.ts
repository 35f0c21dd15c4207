/** RFC 1123 labels end here. */
const MAX_LENGTH = 63

/** `My Äpp #1` → `my-app-1`; what has no letter or digit becomes `otherwise`. */
export function kebabName(text: string, otherwise: string): string {
  const plain = text
    .replaceAll('ß', 'ss')
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
  const name = plain.replace(/^-/, '').slice(0, MAX_LENGTH).replace(/-$/, '')
  return name === '' ? otherwise : name
}

/** Gives each object of one kind a name of its own: `work`, `work-2`, `work-3`. */
export class ObjectNames {
  readonly #taken = new Set<string>()

  take(text: string, otherwise: string): string {
    const base = kebabName(text, otherwise)
    let name = base
    for (let count = 2; this.#taken.has(name); count += 1) {
      const suffix = `-${count}`
      name = base.slice(0, MAX_LENGTH - suffix.length) + suffix
    }
    this.#taken.add(name)
    return name
  }
}

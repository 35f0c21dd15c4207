export interface UrlParts {
  readonly origin: string
  /** Path and query. */
  readonly path: string
}

const LIMIT = 1_000

/** Destinations repeat: a URL is parsed once, not with every request. */
export class UrlCache {
  readonly #known = new Map<string, UrlParts>()

  parse(url: string): UrlParts {
    const known = this.#known.get(url)
    if (known !== undefined) return known
    const { origin, pathname, search } = new URL(url)
    const parts = { origin, path: pathname + search }
    if (this.#known.size >= LIMIT) this.#known.clear()
    this.#known.set(url, parts)
    return parts
  }
}

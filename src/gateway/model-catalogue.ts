import type { ModelFacts, Tenant } from '#table/routing-table.ts'

/** Clients choose the names: answers for this many are kept, the next one empties the store. */
const REMEMBERED = 1_024
const LONGEST_NAME = 256

/** What a tenant's table knows of models. */
export class ModelCatalogue {
  readonly #models: Tenant['models']
  readonly #remembered = new Map<string, ModelFacts | undefined>()

  constructor({ models }: Pick<Tenant, 'models'>) {
    this.#models = models
  }

  /** Exact name, then without vendor prefix, `:free`-like suffix or date (`-20251001`, `-2025-08-07`). */
  find(model: string): ModelFacts | undefined {
    const known = this.#remembered.get(model)
    if (known !== undefined || this.#remembered.has(model)) return known
    const facts = this.#search(model)
    if (this.#remembered.size >= REMEMBERED) this.#remembered.clear()
    if (model.length <= LONGEST_NAME) this.#remembered.set(model, facts)
    return facts
  }

  #search(model: string): ModelFacts | undefined {
    const bare = model.slice(model.lastIndexOf('/') + 1)
    const plain = bare.replace(/(?::[a-z]+|\[[0-9a-z]+\])$/, '')
    const undated = plain.replace(/-(?:\d{8}|\d{4}-\d{2}-\d{2})$/, '')
    return this.#own(model) ?? this.#own(bare) ?? this.#own(plain) ?? this.#own(undated)
  }

  /** A name may be a member that every object has. */
  #own(model: string): ModelFacts | undefined {
    return Object.hasOwn(this.#models, model) ? this.#models[model] : undefined
  }
}

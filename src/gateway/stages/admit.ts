import { KorProxyError } from '#errors/korproxy-error.ts'
import { anyGlob, type GlobMatcher } from '#routing/glob.ts'
import type { Client, RequestType } from '#table/routing-table.ts'

/** What clients may ask for. Limits and budgets join here. */
export class Admission {
  /** A client's patterns are compiled once, not with every request. */
  readonly #allowedModels = new WeakMap<Client, GlobMatcher>()

  /** @throws KorProxyError KP-AUTH-005, 006 */
  admit(client: Client | undefined, requestType: RequestType, model: string): void {
    if (client === undefined) return
    const { allowedTypes, allowedModels } = client
    if (allowedTypes.length > 0 && !allowedTypes.includes(requestType)) {
      throw new KorProxyError('KP-AUTH-006', { client: client.name, type: requestType })
    }
    if (allowedModels.length === 0) return
    // A path whose model nobody can see might reach any model: that takes a word of its own.
    const allowed = model === '' ? allowedTypes.includes('other') : this.#matcher(client)(model)
    if (!allowed)
      throw new KorProxyError('KP-AUTH-005', { client: client.name, model: model === '' ? 'unknown' : model })
  }

  #matcher(client: Client): GlobMatcher {
    const known = this.#allowedModels.get(client)
    if (known !== undefined) return known
    const matcher = anyGlob(client.allowedModels)
    this.#allowedModels.set(client, matcher)
    return matcher
  }
}

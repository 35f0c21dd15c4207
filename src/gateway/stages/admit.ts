import { KorProxyError } from '#errors/korproxy-error.ts'
import { anyGlob, type GlobMatcher } from '#routing/glob.ts'
import type { Client, RequestType } from '#table/routing-table.ts'
import type { Surface } from '../surface.ts'

/** What a client asks for. */
export interface AdmitInput {
  readonly client: Client | undefined
  readonly surface: Pick<Surface, 'requestType'>
  readonly requestType: RequestType
  readonly requestedModel: string
}

/** What clients may ask for. Limits and budgets join here. */
export class Admission {
  /** A client's patterns are compiled once, not with every request. */
  readonly #allowedModels = new WeakMap<Client, GlobMatcher>()

  /** @throws KorProxyError KP-AUTH-005, 006 */
  admit({ client, surface, requestType, requestedModel: model }: AdmitInput): void {
    if (client === undefined) return
    const { allowedTypes, allowedModels } = client
    checkType(client, requestType)
    // A header may rename the type, but what the path does it does all the same.
    if (surface.requestType !== undefined) checkType(client, surface.requestType)
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

function checkType({ name, allowedTypes }: Client, type: RequestType): void {
  if (allowedTypes.length > 0 && !allowedTypes.includes(type))
    throw new KorProxyError('KP-AUTH-006', { client: name, type })
}

import { KorProxyError } from '#errors/korproxy-error.ts'
import { compileGlob } from '#routing/glob.ts'
import type { Client, RequestType } from '#table/routing-table.ts'

/** What a client may ask for. Limits and budgets join here. @throws KorProxyError KP-AUTH-005, 006 */
export function admit(client: Client | undefined, requestType: RequestType, model: string): void {
  if (client === undefined) return
  if (client.allowedTypes.length > 0 && !client.allowedTypes.includes(requestType)) {
    throw new KorProxyError('KP-AUTH-006', { client: client.name, type: requestType })
  }
  if (client.allowedModels.length === 0 || model === '') return
  if (!client.allowedModels.some((pattern) => compileGlob(pattern)(model))) {
    throw new KorProxyError('KP-AUTH-005', { client: client.name, model })
  }
}

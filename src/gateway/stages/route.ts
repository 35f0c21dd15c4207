import type { RoutedRequest } from '#routing/route.ts'
import type { Client, RequestType } from '#table/routing-table.ts'
import type { ServingTenant } from '../serving-table.ts'
import type { HeaderReader } from '../surface.ts'

export interface RouteInput {
  readonly tenant: ServingTenant
  readonly client: Client | undefined
  readonly header: HeaderReader
  readonly requestType: RequestType
  readonly model: string
  readonly random: () => number
}

/** Which groups may answer, in order. @throws KorProxyError KP-AUTH-007, KP-CONF-219 */
export function route(input: RouteInput): RoutedRequest {
  return input.tenant.router.route({
    type: input.requestType,
    model: input.model,
    client: input.client,
    profileHeader: input.header('x-korproxy-profile'),
    headers: input.header,
    random: input.random,
  })
}

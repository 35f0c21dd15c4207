import type { GatewayRuntime } from '../runtime.ts'
import type { DispatchInput } from './dispatch.ts'
import { passesAsIs } from './encode.ts'

type Headers = Readonly<Record<string, string>>

/**
 * Headers of the request to a provider, flat, lower case, each name once: the provider's own (`own`), then the gateway's, then those of
 * the client that are on an allow-list, then the provider's defaults. A list that account and client both give is joined.
 */
export function upstreamHeaders(
  runtime: GatewayRuntime,
  { exchange, prepared, account }: DispatchInput,
  own: Headers,
): string[] {
  const { headers: given } = exchange.request
  const passes = passesAsIs(prepared)
  const flat: string[] = []
  for (const name in own) flat.push(name, own[name] ?? '')
  const type = passes ? (given['content-type'] ?? 'application/json') : 'application/json'
  if (own['content-type'] === undefined) flat.push('content-type', type)
  if (own['accept-encoding'] === undefined) flat.push('accept-encoding', 'identity')
  if (own['x-correlation-id'] === undefined) flat.push('x-correlation-id', exchange.correlationId)
  const ofTenant = runtime.allowLists.get(exchange.tenant.tenant.requestHeaders)
  const ofProvider = passes ? runtime.allowLists.get(account.provider.forwardedRequestHeaders) : undefined
  for (const name in given) {
    if (ofTenant.allows(name) || ofProvider?.allows(name) === true) addGiven(flat, name, given[name], own)
  }
  addDefaults(flat, account.provider.defaultHeaders)
  return flat
}

const OF_THE_GATEWAY: ReadonlySet<string> = new Set(['content-type', 'accept-encoding', 'x-correlation-id'])

/** It holds a list: what the account asks for takes nothing away from what the client does. */
const LIST_HEADER = 'anthropic-beta'

function addGiven(flat: string[], name: string, value: string | string[] | undefined, own: Headers): void {
  if (typeof value !== 'string' || OF_THE_GATEWAY.has(name)) return
  const ofAccount = own[name]
  if (ofAccount === undefined) flat.push(name, value)
  else if (name === LIST_HEADER) flat[positionOf(flat, name) + 1] = joinLists(ofAccount, value)
}

function joinLists(left: string, right: string): string {
  const entries = `${left},${right}`.split(',').map((entry) => entry.trim())
  return [...new Set(entries)].filter((entry) => entry !== '').join(',')
}

function addDefaults(flat: string[], defaults: Headers): void {
  for (const name in defaults) if (positionOf(flat, name) === -1) flat.push(name, defaults[name] ?? '')
}

function positionOf(flat: readonly string[], name: string): number {
  for (let at = 0; at < flat.length; at += 2) if (flat[at] === name) return at
  return -1
}

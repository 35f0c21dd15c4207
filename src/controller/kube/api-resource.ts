import { GROUP, VERSION } from '#resources/kind-definition.ts'
import { KINDS, type Kind } from '#resources/kinds.ts'

/** A kind of object as the API server's addresses name it. */
export interface ApiResource {
  /** Empty for the core group. */
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: string
}

export const SECRETS: ApiResource = { group: '', version: 'v1', plural: 'secrets', kind: 'Secret' }
export const LEASES: ApiResource = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', kind: 'Lease' }
export const EVENTS: ApiResource = { group: 'events.k8s.io', version: 'v1', plural: 'events', kind: 'Event' }
export const ENDPOINT_SLICES: ApiResource = {
  group: 'discovery.k8s.io',
  version: 'v1',
  plural: 'endpointslices',
  kind: 'EndpointSlice',
}
export const TOKEN_REVIEWS: ApiResource = {
  group: 'authentication.k8s.io',
  version: 'v1',
  plural: 'tokenreviews',
  kind: 'TokenReview',
}

export function resourceOfKind(kind: Kind): ApiResource {
  return { group: GROUP, version: VERSION, plural: KINDS[kind].plural, kind }
}

/** Names a collection, or one object of it. */
export interface ApiAddress {
  readonly resource: ApiResource
  /** Absent: all namespaces, or a kind without any. */
  readonly namespace?: string
  readonly name?: string
  readonly subresource?: string
}

/** @see https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris */
export function pathOf({ resource: { group, version, plural }, namespace, name, subresource }: ApiAddress): string {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  const space = namespace === undefined ? [] : ['namespaces', namespace]
  const parts = [...space, plural, ...(name === undefined ? [] : [name])]
  const path = [root, ...parts.map(encodeURIComponent)].join('/')
  return subresource === undefined ? path : `${path}/${subresource}`
}

export function apiVersionOf({ group, version }: ApiResource): string {
  return group === '' ? version : `${group}/${version}`
}

import { isRecord } from '#resources/finding.ts'

/** What every object of the API has; the rest is for whoever knows the kind. */
export interface KubeObject {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata: KubeMetadata
  readonly [field: string]: unknown
}
interface KubeMetadata {
  readonly name: string
  readonly namespace?: string
  readonly uid: string
  readonly resourceVersion: string
  readonly generation?: number
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

/** Undefined when it is no object of the API. Who manages which field is left out: it is half of the size and nobody asks for it. */
export function readKubeObject(value: unknown): KubeObject | undefined {
  if (!isRecord(value) || !isRecord(value['metadata'])) return undefined
  const { managedFields: _, ...metadata } = value['metadata']
  if (typeof metadata['name'] !== 'string' || typeof metadata['resourceVersion'] !== 'string') return undefined
  // Name and version were checked; the API server vouches for the rest.
  return { ...value, metadata } as unknown as KubeObject
}

/** `namespace/name`; the name alone for objects without a namespace. */
export function keyOfObject({ metadata: { namespace, name } }: KubeObject): string {
  return namespace === undefined ? name : `${namespace}/${name}`
}

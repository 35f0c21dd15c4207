import type { ErrorCode } from '#errors/registry.ts'
import type { Kind, SpecOf } from './kinds.ts'

/** Names one object of the configuration. */
export interface ObjectReference {
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

/** Where something stands in a file; lines and columns count from 1. */
interface SourcePosition {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** Where an object came from. Objects of a cluster have no source. */
export interface ResourceSource {
  readonly file: string
  /** Position of a field such as `spec.rules[2].name`, or of the closest thing around it that exists. */
  readonly locate: (path: string) => SourcePosition
}

/** What is wrong with an object; a value, so that one bad object hides no other. */
export interface Problem {
  readonly ref: ObjectReference
  /** e.g. `spec.rules[2].name`; empty = the object itself. */
  readonly path: string
  /** A sentence for people, without the code, the path and any secret. */
  readonly message: string
  readonly code: ErrorCode
  readonly position?: SourcePosition
}

export interface ObjectMetadata {
  readonly name: string
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
}

/** One valid object with its defaults filled in. */
export interface ResourceObject<K extends Kind> {
  readonly apiVersion: string
  readonly kind: K
  readonly metadata: ObjectMetadata
  readonly spec: SpecOf<K>
  readonly source?: ResourceSource
}
/** Told apart by `kind`. */
export type Resource = { [K in Kind]: ResourceObject<K> }[Kind]

/** A Secret with its values decoded. Values go nowhere but into credentials. */
export interface SecretObject {
  readonly namespace: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly uid: string
  /** Changes when a value changes; tells nothing of the value. */
  readonly resourceVersion: string
  readonly data: Readonly<Record<string, string>>
  readonly source?: ResourceSource
}

/** The credential behind `auth.valueFrom` of one ProviderAccount. */
export interface ExternalCredential {
  readonly namespace: string
  readonly account: string
  readonly value: string
  /** Changes when the value changes; tells nothing of the value. */
  readonly resourceVersion: string
}

/** What is there but could not be read, so that whoever misses it is told so. */
export interface Unread {
  /** As far as their names could be read. */
  readonly objects: readonly ObjectReference[]
  /** Behind `auth.valueFrom`. */
  readonly credentials: readonly UnreadCredential[]
}
export interface UnreadCredential {
  readonly namespace: string
  readonly account: string
  /** e.g. `file keys/openai is empty`. */
  readonly reason: string
}

/** Everything that `compile` needs to know. */
export interface ResourceSet {
  readonly resources: readonly Resource[]
  readonly secrets: readonly SecretObject[]
  readonly externalCredentials: readonly ExternalCredential[]
}

export function referenceOf(resource: Resource): ObjectReference {
  return { kind: resource.kind, namespace: resource.metadata.namespace, name: resource.metadata.name }
}

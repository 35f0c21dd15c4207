import type { Kind } from '#resources/kinds.ts'
import type { Resource, ResourceObject } from '#resources/resource.ts'
import type { Verdict } from './conditions.ts'

/** What a kind says besides the conditions that all have. */
export interface KindStatus {
  readonly ready: Verdict
  readonly fields: Readonly<Record<string, unknown>>
}

/** Nothing of its own keeps the object from its work. */
export const READY: Verdict = { status: 'True', reason: 'Ready', message: '' }

export function ofKind<K extends Kind>(resources: readonly Resource[], kind: K): ResourceObject<K>[] {
  // The filter compares the discriminant.
  return resources.filter((resource) => resource.kind === kind) as unknown as ResourceObject<K>[]
}

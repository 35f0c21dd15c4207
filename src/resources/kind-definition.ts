import type { z } from 'zod'

export const GROUP = 'korproxy.dev'
export const VERSION = 'v1alpha1'
export const API_VERSION = `${GROUP}/${VERSION}`

/** A column of `kubectl get`. */
export interface Column {
  readonly name: string
  readonly type: 'string' | 'integer' | 'boolean' | 'date'
  readonly jsonPath: string
  /** Only with `-o wide`. */
  readonly priority?: 1
}

/** A kind: the one source of its type, its CRD, its editor schema and its page in the docs. */
export interface KindDefinition {
  readonly kind: string
  readonly plural: string
  readonly shortName: string
  readonly description: string
  readonly spec: z.ZodType
  readonly status: z.ZodType
  readonly columns: readonly Column[]
  /** Fields that `kubectl get --field-selector` may filter by. */
  readonly selectableFields: readonly string[]
}

export const READY: Column = {
  name: 'Ready',
  type: 'string',
  jsonPath: '.status.conditions[?(@.type=="Ready")].status',
}
export const REASON: Column = {
  name: 'Reason',
  type: 'string',
  jsonPath: '.status.conditions[?(@.type=="Ready")].reason',
  priority: 1,
}
export const GATEWAYS: Column = { name: 'Gateways', type: 'string', jsonPath: '.status.programmedGateways' }
export const AGE: Column = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }

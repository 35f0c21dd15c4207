import { z } from 'zod'
import { mapOf } from './list.ts'

export function count() {
  return z.int32().min(0)
}

export function timestamp() {
  return z.iso.datetime({ offset: true })
}

/** @see https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#typical-status-properties */
const condition = z.strictObject({
  type: z
    .string()
    .max(316)
    .regex(/^[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?$/)
    .describe('Accepted, ResolvedRefs, Programmed or Ready.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
  observedGeneration: z.int().min(0).max(Number.MAX_SAFE_INTEGER).optional().describe('Generation this was said of.'),
  lastTransitionTime: timestamp().describe('When the status last changed.'),
  reason: z
    .string()
    .min(1)
    .max(1024)
    .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/)
    .describe('One word for programs.'),
  message: z.string().max(32768).describe('A sentence for people.'),
})

/** What every kind reports. */
export const baseStatus = {
  observedGeneration: z
    .int()
    .min(0)
    .max(Number.MAX_SAFE_INTEGER)
    .optional()
    .describe('Generation of the spec that this status speaks of.'),
  conditions: mapOf(condition, 'type', 8)
    .optional()
    .describe(
      'Accepted: the spec is valid. ResolvedRefs: everything it names exists. Programmed: all live gateways run it. Ready: the summary.',
    ),
  configVersion: z
    .string()
    .max(71)
    .optional()
    .describe('Version (sha256) of the newest table that contains this generation.'),
  programmedGateways: z.string().max(16).optional().describe('Gateways that run it / gateways known, e.g. `2/3`.'),
}

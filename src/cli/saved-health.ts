import { z } from 'zod'
import type { SavedHealth } from '#gateway/account-registry.ts'

const time = z.number()
const ladder = z.object({ step: z.int().min(0).max(1_000), sinceMs: time, untilMs: time })
const scope = z.object({
  rateLimit: ladder,
  overload: ladder,
  quotaUntilMs: time,
  breaker: z
    .object({
      openedAtMs: time,
      nextProbeMs: time,
      failedProbes: z.int().min(0),
      cause: z.enum(['failures', 'credential']),
    })
    .optional(),
})
const snapshot = z.object({ format: z.literal(1), account: scope, models: z.record(z.string(), scope) })

/** The entries that can be restored, of what a file says; `rejected` names the others. @throws Error when it holds no entries at all */
export function readSavedHealth(value: unknown): {
  readonly health: SavedHealth
  readonly rejected: readonly string[]
} {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('not a JSON object')
  const entries = Object.entries(value)
  const good = entries.filter(([, entry]) => snapshot.safeParse(entry).success)
  const rejected = entries.filter((entry) => !good.includes(entry)).map(([account]) => account)
  // Each value has just been accepted by the schema.
  return { health: Object.fromEntries(good) as SavedHealth, rejected }
}

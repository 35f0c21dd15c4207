import { mapOf } from './shape.ts'
import { matching } from './snapshot.ts'

/** How far a controller had watched when it compiled a table: newest resourceVersion by kind, or by namespace and kind. */
export type HighWater = Readonly<Record<string, string>>

export const HIGH_WATER_SHAPE = mapOf(matching(/^\d{1,20}$/, 'a resourceVersion'), 4_096)

/**
 * Whether a table was compiled from older objects than another: behind in some kind, ahead in none. A controller that was frozen or
 * hangs on a dead watch must not turn a gateway back.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
 */
export function isOlder(candidate: HighWater, than: HighWater): boolean {
  let behind = false
  for (const [kind, reached] of Object.entries(than)) {
    const own = candidate[kind]
    if (own === undefined) continue
    const order = compareVersions(own, reached)
    if (order > 0) return false
    if (order < 0) behind = true
  }
  return behind
}

/** Decimal texts of any length. */
function compareVersions(a: string, b: string): number {
  const [left, right] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')]
  if (left.length !== right.length) return left.length - right.length
  if (left === right) return 0
  return left < right ? -1 : 1
}

import { isRecord } from '#resources/finding.ts'
import type { Kind } from '#resources/kinds.ts'
import { canonicalJson } from '#table/canonical-json.ts'

/**
 * A status as text, such that two of the same text need not be written one over the other. When a condition changed follows from
 * the change. The version of the table says nothing new of an object that it does not change; only GatewayConfig keeps up with it.
 */
export function meaningOf(kind: Kind, status: unknown): string {
  if (!isRecord(status)) return ''
  const { configVersion, conditions, ...fields } = status
  const version = kind === 'GatewayConfig' ? configVersion : configVersion !== undefined
  return canonicalJson({ ...fields, conditions: Array.isArray(conditions) ? byType(conditions) : [], version })
}

function byType(conditions: readonly unknown[]): readonly object[] {
  return conditions
    .filter(isRecord)
    .map(({ lastTransitionTime: _, ...condition }) => condition)
    .toSorted((a, b) => (String(a['type']) < String(b['type']) ? -1 : 1))
}

import { decodeSnapshot, type TableRefusal } from '#table/decode-snapshot.ts'
import type { HighWater } from '#table/high-water.ts'
import type { SnapshotNotice } from '#table/messages.ts'
import type { RoutingTable } from '#table/routing-table.ts'
import { encodeSnapshot, type Snapshot, snapshotBytes } from '#table/snapshot.ts'
import { TABLE_FORMATS, type TableFormat } from '#table/table-formats.ts'
import type { Sha256 } from '#table/table-version.ts'

/** A compiled table that the gateways should have. */
export interface Offer {
  readonly table: RoutingTable
  readonly highWater: HighWater
  /** Nothing may delay it: no debounce, no canary. */
  readonly urgent: boolean
}

/** A table in every format that is served. */
export interface Publication extends Offer {
  /** Format number → snapshot. */
  readonly snapshots: ReadonlyMap<number, Snapshot>
}

/**
 * Writes a table out, and reads it as a gateway would: what gateways would refuse is not sent to them in the first place.
 * Of the newest format the version is the table's own.
 */
export function preparePublication(
  offer: Offer,
  sha256: Sha256,
  formats: readonly TableFormat[] = TABLE_FORMATS,
): Publication | TableRefusal {
  const snapshots = new Map<number, Snapshot>()
  for (const format of formats) {
    const snapshot = encodeSnapshot(offer.table, format, sha256)
    const read = decodeSnapshot(snapshot.manifest, snapshot.texts, { sha256, formats })
    if (read.result === 'Refused') return read.refusal
    snapshots.set(format.number, snapshot)
  }
  return { ...offer, snapshots }
}

/** The newest format that a gateway reads; undefined when it reads none of them. */
export function snapshotFor({ snapshots }: Publication, formats: readonly number[]): Snapshot | undefined {
  const readable = formats.filter((format) => snapshots.has(format))
  return readable.length === 0 ? undefined : snapshots.get(Math.max(...readable))
}

/** Whether a version, in whichever format, is of this publication. */
export function hasVersion({ snapshots }: Publication, version: string): boolean {
  return [...snapshots.values()].some(({ manifest }) => manifest.version === version)
}

export function noticeOf(
  { manifest }: Snapshot,
  { urgent, highWater }: Pick<Publication, 'urgent' | 'highWater'>,
  ignoreWhenOlder: SnapshotNotice['ignoreWhenOlder'],
): SnapshotNotice {
  return { version: manifest.version, size: snapshotBytes(manifest), urgent, highWater, ignoreWhenOlder }
}

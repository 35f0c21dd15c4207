import { HIGH_WATER_SHAPE, type HighWater } from './high-water.ts'
import type { Snapshot } from './snapshot.ts'
import type { SectionName } from './table-formats.ts'

/** A snapshot as it is kept: what a gateway starts from when no controller answers. */
export interface KeptSnapshot {
  /** Not checked yet. */
  readonly manifest: unknown
  readonly texts: Readonly<Record<SectionName, string>>
  readonly highWater: HighWater
}

/** Four lines: the manifest and how new it is, then the sections. JSON without spaces has no line breaks. */
export function writeSnapshotText({ manifest, texts }: Snapshot, highWater: HighWater): string {
  return `${JSON.stringify({ manifest, highWater })}\n${texts.core}\n${texts.clients}\n${texts.credentials}\n`
}

/** Undefined when it is no kept snapshot, e.g. cut short. The manifest and the hashes are the decoder's to check. */
export function readSnapshotText(text: string): KeptSnapshot | undefined {
  const [head, core, clients, credentials] = text.split('\n', 4)
  if (head === undefined || core === undefined || clients === undefined || credentials === undefined) return undefined
  let value: unknown
  try {
    value = JSON.parse(head)
  } catch {
    // Whatever it is, it is no head of a snapshot.
    return undefined
  }
  if (typeof value !== 'object' || value === null || !('manifest' in value) || !('highWater' in value)) return undefined
  if (HIGH_WATER_SHAPE(value.highWater) !== undefined) return undefined
  // The shape is that of a high-water mark.
  const highWater = value.highWater as HighWater
  return { manifest: value.manifest, texts: { core, clients, credentials }, highWater }
}

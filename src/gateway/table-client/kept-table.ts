import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import type { HighWater } from '#table/high-water.ts'
import { MAX_SNAPSHOT_BYTES, type Snapshot } from '#table/snapshot.ts'
import { type KeptSnapshot, readSnapshotText, writeSnapshotText } from '#table/snapshot-text.ts'

/** Escapes and the head come on top of the sections. */
const MAX_TEXT_BYTES = MAX_SNAPSHOT_BYTES + 1024 * 1024

const compress = promisify(gzip)
const decompress = promisify(gunzip)

/** Undefined when there is no such file. @throws when it cannot be read or is no kept snapshot */
export async function readKeptTable(path: string): Promise<KeptSnapshot | undefined> {
  let bytes: Buffer
  try {
    bytes = await readFile(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  const text = (await decompress(bytes, { maxOutputLength: MAX_TEXT_BYTES })).toString('utf8')
  const kept = readSnapshotText(text)
  if (kept === undefined) throw new Error(`${path} is no routing table`)
  return kept
}

/** Whole or not at all, and for the owner only: it holds credentials, so it belongs on a volume in memory. */
export async function writeKeptTable(path: string, snapshot: Snapshot, highWater: HighWater): Promise<void> {
  const bytes = await compress(writeSnapshotText(snapshot, highWater), { level: 1 })
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const next = `${path}.next`
  await writeFile(next, bytes, { mode: 0o600 })
  await rename(next, path)
}

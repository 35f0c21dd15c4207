import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { type Snapshot, type SnapshotManifest, snapshotBytes } from '#table/snapshot.ts'
import { SECTION_NAMES, type SectionName } from '#table/table-formats.ts'

/** Gateways may still be fetching one of the last; older ones are asked for by nobody. */
const MAX_VERSIONS = 16
const MAX_BYTES = 128 * 1024 * 1024
/** The one that serves and the one that is being rolled out, in two formats. */
const MIN_VERSIONS = 4

interface ArchivedSection {
  readonly text: string
  compressed: Promise<Buffer> | undefined
}

const compress = promisify(gzip)

/** The last snapshots by their version. A section that several share is kept, and compressed, once. */
export class SnapshotArchive {
  /** Oldest first. */
  readonly #manifests = new Map<string, SnapshotManifest>()
  readonly #sections = new Map<string, ArchivedSection>()

  keep({ manifest, texts }: Snapshot): void {
    this.#manifests.delete(manifest.version)
    this.#manifests.set(manifest.version, manifest)
    for (const name of SECTION_NAMES) {
      const { sha256 } = manifest.sections[name]
      if (!this.#sections.has(sha256)) this.#sections.set(sha256, { text: texts[name], compressed: undefined })
    }
    this.#forgetOldest()
  }

  manifest(version: string): SnapshotManifest | undefined {
    return this.#manifests.get(version)
  }

  /** Gzip of the section's JSON; undefined when the version is not kept (any more). */
  async section(version: string, name: SectionName): Promise<Buffer | undefined> {
    const manifest = this.#manifests.get(version)
    const section = manifest === undefined ? undefined : this.#sections.get(manifest.sections[name].sha256)
    if (section === undefined) return undefined
    section.compressed ??= compress(section.text)
    return section.compressed
  }

  #forgetOldest(): void {
    for (const version of [...this.#manifests.keys()]) {
      const tooMany = this.#manifests.size > MAX_VERSIONS || this.#bytes() > MAX_BYTES
      if (!tooMany || this.#manifests.size <= MIN_VERSIONS) break
      this.#manifests.delete(version)
    }
    const used = new Set([...this.#manifests.values()].flatMap(digestsOf))
    for (const digest of this.#sections.keys()) if (!used.has(digest)) this.#sections.delete(digest)
  }

  #bytes(): number {
    return [...this.#manifests.values()].reduce((sum, manifest) => sum + snapshotBytes(manifest), 0)
  }
}

function digestsOf({ sections }: SnapshotManifest): string[] {
  return SECTION_NAMES.map((name) => sections[name].sha256)
}

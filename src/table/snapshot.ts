import { canonicalJson } from './canonical-json.ts'
import type { CredentialsSection, RoutingTable } from './routing-table.ts'
import { integer, objectOf, type Shape, text } from './shape.ts'
import { SECTION_NAMES, type SectionName, type TableFormat } from './table-formats.ts'
import { credentialVersions, type Sha256 } from './table-version.ts'

/** All sections together, bytes. */
export const MAX_SNAPSHOT_BYTES = 32 * 1024 * 1024

/** What a snapshot consists of: small, and enough to know which sections a gateway has already. */
export interface SnapshotManifest {
  readonly format: number
  /** Of the table in this format. */
  readonly version: string
  readonly sections: Readonly<Record<SectionName, SectionDigest>>
}
export interface SectionDigest {
  /** Of the section's text in UTF-8, lower-case hex. Covers credentials by value: it goes to gateways only, never into a log. */
  readonly sha256: string
  /** UTF-8 bytes. */
  readonly size: number
}

/** A routing table as it travels: canonical JSON in sections. */
export interface Snapshot {
  readonly manifest: SnapshotManifest
  readonly texts: Readonly<Record<SectionName, string>>
}

export const VERSION_PATTERN = /^sha256:[0-9a-f]{64}$/
const DIGEST_PATTERN = /^[0-9a-f]{64}$/

export function encodeSnapshot(table: RoutingTable, format: TableFormat, sha256: Sha256): Snapshot {
  const sections = format.write(table)
  const texts = mapSections((name) => canonicalJson(sections[name]))
  return {
    manifest: {
      format: format.number,
      version: versionOfTexts({ format: format.number, texts, credentials: table.credentials }, sha256),
      sections: mapSections((name) => ({ sha256: sha256(texts[name]), size: utf8Length(texts[name]) })),
    },
    texts,
  }
}

export interface VersionedTexts {
  readonly format: number
  readonly texts: Readonly<Record<SectionName, string>>
  readonly credentials: CredentialsSection
}

/**
 * The version of a table from the texts of its sections. Equal to `tableVersion` where the texts are canonical, without writing a
 * table of megabytes once more.
 */
export function versionOfTexts({ format, texts, credentials }: VersionedTexts, sha256: Sha256): string {
  const versions = canonicalJson(credentialVersions(credentials))
  return `sha256:${sha256(`{"clients":${texts.clients},"core":${texts.core},"credentials":${versions},"format":${format}}`)}`
}

export function snapshotBytes({ sections }: SnapshotManifest): number {
  return SECTION_NAMES.reduce((sum, name) => sum + sections[name].size, 0)
}

export function mapSections<T>(read: (name: SectionName) => T): Record<SectionName, T> {
  return { core: read('core'), clients: read('clients'), credentials: read('credentials') }
}

const digest = objectOf<SectionDigest>({ sha256: matching(DIGEST_PATTERN, 'a SHA-256 in hex'), size: integer(0) }, {})
export const MANIFEST_SHAPE: Shape = objectOf<SnapshotManifest>(
  {
    format: integer(1, 1_000_000),
    version: matching(VERSION_PATTERN, 'a version'),
    sections: objectOf<SnapshotManifest['sections']>({ core: digest, clients: digest, credentials: digest }, {}),
  },
  {},
)

/** A text of one pattern, e.g. a hash. */
export function matching(pattern: RegExp, wanted: string): Shape {
  const short = text({ maxLength: 256 })
  return (value) => {
    const fault = short(value)
    if (fault !== undefined) return fault
    // `short` takes texts only.
    return pattern.test(value as string) ? undefined : { path: '', problem: `is not ${wanted}` }
  }
}

function utf8Length(value: string): number {
  return new TextEncoder().encode(value).length
}

import { checkGlobs, checkReferences } from './check-references.ts'
import { type RoutingTable, TABLE_FORMAT } from './routing-table.ts'
import { describeFault } from './shape.ts'
import {
  MANIFEST_SHAPE,
  MAX_SNAPSHOT_BYTES,
  mapSections,
  type Snapshot,
  type SnapshotManifest,
  snapshotBytes,
  versionOfTexts,
} from './snapshot.ts'
import {
  type FormatSections,
  SECTION_NAMES,
  type SectionName,
  TABLE_FORMATS,
  type TableFormat,
  type TableSections,
} from './table-formats.ts'
import { SECTION_SHAPES } from './table-shape.ts'
import type { Sha256 } from './table-version.ts'

/** Why a table is not applied. Nothing of a user's doing ends here: that is reported where it was compiled. */
export type TableRefusal =
  | { readonly reason: 'format'; readonly format: number }
  /** Altered or cut on its way. */
  | { readonly reason: 'hash'; readonly version: string }
  | { readonly reason: 'too-large'; readonly message: string }
  /** What was sent is whole, but no table. */
  | { readonly reason: 'broken'; readonly message: string }

export interface Refused {
  readonly result: 'Refused'
  readonly refusal: TableRefusal
}
export interface DecodedSnapshot {
  readonly result: 'Decoded'
  readonly snapshot: Snapshot
  readonly table: RoutingTable
  /** The parsed sections in the format that they came in, for the next snapshot that shares them. */
  readonly parsed: FormatSections
}

export interface ManifestRead {
  readonly result: 'Read'
  readonly manifest: SnapshotManifest
}

export interface DecodeContext {
  readonly sha256: Sha256
  /** The snapshot before: a section with the same hash is not parsed and not checked again. */
  readonly previous?: DecodedSnapshot | undefined
  readonly formats?: readonly TableFormat[]
}

/** Checks a manifest before anything is fetched for it. */
export function readManifest(value: unknown, formats: readonly TableFormat[] = TABLE_FORMATS): ManifestRead | Refused {
  const fault = MANIFEST_SHAPE(value)
  if (fault !== undefined) return broken(`manifest: ${describeFault(fault)}`)
  // The shape is that of a manifest.
  const manifest = value as SnapshotManifest
  if (!formats.some(({ number }) => number === manifest.format)) {
    return refused({ reason: 'format', format: manifest.format })
  }
  const size = snapshotBytes(manifest)
  if (size > MAX_SNAPSHOT_BYTES) {
    return refused({ reason: 'too-large', message: `The table has ${size} bytes; ${MAX_SNAPSHOT_BYTES} are allowed.` })
  }
  return { result: 'Read', manifest }
}

/** From the texts of a snapshot to its table. Trusts nothing: hash, format, sizes, shape and references are checked. Never throws. */
export function decodeSnapshot(
  value: unknown,
  texts: Readonly<Partial<Record<SectionName, string>>>,
  context: DecodeContext,
): DecodedSnapshot | Refused {
  const formats = context.formats ?? TABLE_FORMATS
  const read = readManifest(value, formats)
  if (read.result === 'Refused') return read
  const { manifest } = read
  const format = formats.find(({ number }) => number === manifest.format)
  if (format === undefined) return refused({ reason: 'format', format: manifest.format })
  const given = takeTexts(manifest, texts, context)
  if (given === undefined) return refused({ reason: 'hash', version: manifest.version })
  const parsed = parseSections(manifest, given, context)
  if ('refusal' in parsed) return parsed
  const sections = readSections(parsed, format, manifest, context)
  if ('refusal' in sections) return sections
  const { credentials } = sections
  if (versionOfTexts({ format: manifest.format, texts: given, credentials }, context.sha256) !== manifest.version) {
    return refused({ reason: 'hash', version: manifest.version })
  }
  const table: RoutingTable = { format: TABLE_FORMAT, version: manifest.version, ...sections }
  return { result: 'Decoded', snapshot: { manifest, texts: given }, table, parsed }
}

/** The sections that a gateway has to fetch for this manifest. */
export function missingSections(manifest: SnapshotManifest, previous: Snapshot | undefined): SectionName[] {
  return SECTION_NAMES.filter((name) => !sharesSection(manifest, previous?.manifest, name))
}

function takeTexts(
  manifest: SnapshotManifest,
  texts: Readonly<Partial<Record<SectionName, string>>>,
  { previous, sha256 }: DecodeContext,
): Record<SectionName, string> | undefined {
  const found = mapSections((name) => {
    if (sharesSection(manifest, previous?.snapshot.manifest, name)) return previous?.snapshot.texts[name]
    const text = texts[name]
    if (text === undefined || text.length > MAX_SNAPSHOT_BYTES) return undefined
    return sha256(text) === manifest.sections[name].sha256 ? text : undefined
  })
  const { core, clients, credentials } = found
  if (core === undefined || clients === undefined || credentials === undefined) return undefined
  return { core, clients, credentials }
}

function parseSections(
  manifest: SnapshotManifest,
  texts: Readonly<Record<SectionName, string>>,
  { previous }: DecodeContext,
): FormatSections | Refused {
  const parsed: Record<SectionName, unknown> = { core: undefined, clients: undefined, credentials: undefined }
  for (const name of SECTION_NAMES) {
    if (previous !== undefined && sharesSection(manifest, previous.snapshot.manifest, name)) {
      parsed[name] = previous.parsed[name]
      continue
    }
    try {
      parsed[name] = JSON.parse(texts[name])
    } catch {
      // The parser's own words quote the text, which may hold credentials.
      return broken(`${name} is not valid JSON`)
    }
  }
  return parsed
}

function readSections(
  parsed: FormatSections,
  format: TableFormat,
  manifest: SnapshotManifest,
  { previous }: DecodeContext,
): TableSections | Refused {
  let sections: FormatSections
  try {
    sections = format.read(parsed)
  } catch {
    // Reading an older format expects a sound table; what it trips over is none.
    return broken(`the sections are not of format ${format.number}`)
  }
  for (const name of SECTION_NAMES) {
    if (sharesSection(manifest, previous?.snapshot.manifest, name)) continue
    const fault = SECTION_SHAPES[name](sections[name])
    if (fault?.excess === true) return refused({ reason: 'too-large', message: `${name}: ${describeFault(fault)}.` })
    if (fault !== undefined) return broken(`${name}: ${describeFault(fault)}`)
  }
  // The shapes are those of the sections.
  const table = sections as unknown as TableSections
  const flood = checkGlobs(table.core, table.clients)
  if (flood !== undefined) return refused({ reason: 'too-large', message: `${flood}.` })
  const lost = checkReferences(table.core, table.clients)
  return lost === undefined ? table : broken(lost)
}

function sharesSection(manifest: SnapshotManifest, previous: SnapshotManifest | undefined, name: SectionName): boolean {
  if (previous === undefined || previous.format !== manifest.format) return false
  return previous.sections[name].sha256 === manifest.sections[name].sha256
}

function refused(refusal: TableRefusal): Refused {
  return { result: 'Refused', refusal }
}

function broken(message: string): Refused {
  return refused({ reason: 'broken', message })
}

import type { ClientsSection, CoreSection, CredentialsSection, RoutingTable } from './routing-table.ts'
import { TABLE_FORMAT } from './routing-table.ts'

export const SECTION_NAMES = ['core', 'clients', 'credentials'] as const
export type SectionName = (typeof SECTION_NAMES)[number]

/** The sections of a table as one format writes them: plain JSON values. */
export type FormatSections = Readonly<Record<SectionName, unknown>>
export interface TableSections {
  readonly core: CoreSection
  readonly clients: ClientsSection
  readonly credentials: CredentialsSection
}

/** How tables of one format number are written, and read into the form that this program works with. */
export interface TableFormat {
  readonly number: number
  readonly write: (table: RoutingTable) => FormatSections
  /** The result is checked against the shapes of the newest format. */
  readonly read: (sections: FormatSections) => FormatSections
}

const FORMAT_1: TableFormat = {
  number: TABLE_FORMAT,
  write: ({ core, clients, credentials }) => ({ core, clients, credentials }),
  read: (sections) => sections,
}

/**
 * Newest first. Controllers write and gateways read all of them, so that either side may be upgraded first: a new format adds itself
 * at the front, translates to and from the one before, and the one before that goes.
 */
export const TABLE_FORMATS: readonly TableFormat[] = [FORMAT_1]

import { canonicalJson } from './canonical-json.ts'
import type { CredentialsSection, RoutingTable } from './routing-table.ts'

/** Hashes text with SHA-256, lower-case hex; handed in because the table knows no platform. */
export type Sha256 = (text: string) => string

/** The version of a table with this content. Secrets count by their version, never by their value. */
export function tableVersion(content: Omit<RoutingTable, 'version'>, sha256: Sha256): string {
  const credentials = credentialVersions(content.credentials)
  return `sha256:${sha256(canonicalJson({ format: content.format, core: content.core, clients: content.clients, credentials }))}`
}

/** What of the credentials enters the version: `type:version` by account. */
export function credentialVersions(credentials: CredentialsSection): Record<string, string> {
  return Object.fromEntries(
    Object.entries(credentials).map(([account, { type, version }]) => [account, `${type}:${version}`]),
  )
}

import type { Logger } from 'pino'
import { KorProxyError } from '#errors/korproxy-error.ts'
import { type DecodedSnapshot, decodeSnapshot, missingSections, readManifest } from '#table/decode-snapshot.ts'
import { type HighWater, isOlder } from '#table/high-water.ts'
import type { Diagnostic, GatewayAck, SnapshotNotice } from '#table/messages.ts'
import { refusalError } from '#table/refusal-error.ts'
import type { RoutingTable } from '#table/routing-table.ts'
import type { SnapshotManifest } from '#table/snapshot.ts'
import type { KeptSnapshot } from '#table/snapshot-text.ts'
import { type SectionName, TABLE_FORMATS, type TableFormat } from '#table/table-formats.ts'
import type { Sha256 } from '#table/table-version.ts'
import type { ClientWorld, ControllerSession } from './controller-transport.ts'
import { diagnosticOf } from './diagnostic-of.ts'

/** A controller that stays behind for so long is not late: the cluster's store went back to an older state. */
const OLDER_ACCEPTED_MS = 300_000
/** A snapshot that cannot be fetched, or comes altered, is asked for again; after that the next notice or the safety net brings it. */
const ATTEMPTS = 3
const RETRY_MS = 200

export interface TableApplierOptions {
  readonly world: ClientWorld
  readonly sha256: Sha256
  /** @throws when it cannot: then the last table stays */
  readonly apply: (table: RoutingTable) => void
  /** A table serves that came from a controller. */
  readonly onApplied: (snapshot: DecodedSnapshot, highWater: HighWater) => void
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>
  readonly formats?: readonly TableFormat[]
}

/** What came of a notice. */
export type ApplyOutcome = Pick<GatewayAck, 'version' | 'result' | 'diagnostics'>

/** Gets the table that a notice names, checks it, and swaps it in. Whatever goes wrong, the last good table serves on. */
export class TableApplier {
  readonly #options: TableApplierOptions
  #running: DecodedSnapshot | undefined
  #highWater: HighWater = {}
  /** Refused for good: asking again would bring the same. */
  #refused: { readonly version: string; readonly diagnostics: readonly Diagnostic[] } | undefined
  #olderSinceMs: number | undefined

  constructor(options: TableApplierOptions) {
    this.#options = options
  }

  /** The version that serves. */
  get version(): string | undefined {
    return this.#running?.snapshot.manifest.version
  }

  /** Takes a table from before the start. @throws KP-CONF-212, KP-CONF-213, KP-CONF-214, KP-CONF-223 */
  restore({ manifest, texts, highWater }: KeptSnapshot): void {
    const { sha256, formats = TABLE_FORMATS } = this.#options
    const decoded = decodeSnapshot(manifest, texts, { sha256, formats })
    if (decoded.result === 'Refused') throw refusalError(decoded.refusal)
    this.#swap(decoded, highWater)
  }

  /** @returns what to tell the controller; undefined when there is nothing to tell. @throws KP-SYS-53x when the table cannot be fetched */
  async follow(notice: SnapshotNotice, session: ControllerSession): Promise<ApplyOutcome | undefined> {
    const { version } = notice
    if (version === this.version) {
      this.#advance(notice.highWater)
      return { version, result: 'ACK', diagnostics: [] }
    }
    if (version === this.#refused?.version) return { version, result: 'NACK', diagnostics: this.#refused.diagnostics }
    if (this.#isTurningBack(notice)) return undefined
    try {
      const decoded = await this.#obtain(notice, session)
      this.#swap(decoded, notice.highWater)
      this.#options.onApplied(decoded, notice.highWater)
      this.#options.log.info({ version, urgent: notice.urgent }, 'routing table applied')
      return { version, result: 'ACK', diagnostics: [] }
    } catch (error) {
      if (!(error instanceof KorProxyError) || !error.code.startsWith('KP-CONF-')) throw error
      const diagnostics = [diagnosticOf(error)]
      this.#refused = { version, diagnostics }
      this.#options.log.error({ version, err: error, serving: this.version }, 'routing table refused')
      return { version, result: 'NACK', diagnostics }
    }
  }

  async #obtain(notice: SnapshotNotice, session: ControllerSession): Promise<DecodedSnapshot> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#fetch(notice.version, session)
      } catch (error) {
        if (attempt >= ATTEMPTS || !isPassing(error)) throw error
        const { world } = this.#options
        await new Promise<void>((resolve) => world.after(RETRY_MS * 2 ** attempt * world.random(), resolve))
      }
    }
  }

  async #fetch(version: string, session: ControllerSession): Promise<DecodedSnapshot> {
    const { sha256, formats = TABLE_FORMATS } = this.#options
    const read = readManifest(await session.manifest(version), formats)
    if (read.result === 'Refused') throw refusalError(read.refusal)
    if (read.manifest.version !== version) throw refusalError({ reason: 'hash', version })
    const texts = await this.#fetchSections(read.manifest, session)
    const decoded = decodeSnapshot(read.manifest, texts, { sha256, formats, previous: this.#running })
    if (decoded.result === 'Refused') throw refusalError(decoded.refusal)
    return decoded
  }

  async #fetchSections(
    manifest: SnapshotManifest,
    session: ControllerSession,
  ): Promise<Partial<Record<SectionName, string>>> {
    const texts: Partial<Record<SectionName, string>> = {}
    const names = missingSections(manifest, this.#running?.snapshot)
    await Promise.all(
      names.map(async (name) => {
        texts[name] = await session.section(manifest.version, name, manifest.sections[name].size)
      }),
    )
    return texts
  }

  /** In one step; where it fails, what served before serves again. */
  #swap(decoded: DecodedSnapshot, highWater: HighWater): void {
    try {
      this.#options.apply(decoded.table)
    } catch (cause) {
      if (this.#running !== undefined) this.#options.apply(this.#running.table)
      this.#options.log.error({ err: cause }, 'a sound table could not be applied')
      throw unappliable(cause)
    }
    this.#running = decoded
    this.#highWater = highWater
    this.#refused = undefined
    this.#olderSinceMs = undefined
  }

  #advance(highWater: HighWater): void {
    this.#olderSinceMs = undefined
    if (!isOlder(highWater, this.#highWater)) this.#highWater = highWater
  }

  /** Whether a controller that lags behind, such as one that was frozen, would bring back what has been replaced. */
  #isTurningBack({ version, highWater, ignoreWhenOlder }: SnapshotNotice): boolean {
    if (ignoreWhenOlder === 'Never' || !isOlder(highWater, this.#highWater)) {
      this.#olderSinceMs = undefined
      return false
    }
    const nowMs = this.#options.world.monotonic()
    this.#olderSinceMs ??= nowMs
    const accepted = nowMs - this.#olderSinceMs >= OLDER_ACCEPTED_MS
    this.#options.log.warn({ version, serving: this.version, accepted }, 'the controller offers an older routing table')
    return !accepted
  }
}

/** What may go better next time: no answer, a version that the controller has not compiled yet, an alteration on the way. */
function isPassing(error: unknown): boolean {
  return error instanceof KorProxyError && (error.code === 'KP-CONF-213' || error.code === 'KP-SYS-532')
}

function unappliable(cause: unknown): KorProxyError {
  return new KorProxyError('KP-CONF-223', { reason: 'it could not be applied; see the log of the gateway.' }, { cause })
}

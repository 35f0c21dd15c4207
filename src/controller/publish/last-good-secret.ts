import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { writeSnapshotText } from '#table/snapshot-text.ts'
import type { ApiClient } from '../kube/api-client.ts'
import { SECRETS } from '../kube/api-resource.ts'
import type { TimeAndChance } from '../kube/time-and-chance.ts'
import type { Publication } from './publication.ts'

/** Written this long after a change at the latest: it is for pods that start while no controller runs. */
const GATHER_MS = 5_000
const RETRY_MS = 30_000
/** @see https://kubernetes.io/docs/concepts/configuration/secret/#restriction-data-size */
const MAX_BYTES = 1_000_000
/** The gateways' volume shows it under this name. */
const LAST_GOOD_KEY = 'snapshot.gz'

const compress = promisify(gzip)

export interface LastGoodSecretOptions {
  readonly client: Pick<ApiClient, 'apply'>
  readonly world: TimeAndChance
  readonly namespace: string
  readonly name: string
  /** Asked before each write: only the leader writes. */
  readonly leads: () => boolean
  readonly onTrouble: (error: unknown) => void
}

/** The table that all gateways run, in a Secret: a gateway that finds no controller starts from it. */
export class LastGoodSecret {
  readonly #options: LastGoodSecretOptions
  #wanted: Publication | undefined
  #written: string | undefined
  #cancel: (() => void) | undefined
  #closed = false

  constructor(options: LastGoodSecretOptions) {
    this.#options = options
  }

  /** Every replica keeps track, so that a new leader knows what to write. */
  keep(publication: Publication): void {
    this.#wanted = publication
    this.#writeIn(GATHER_MS)
  }

  /** This replica leads now. */
  takeOver(): void {
    this.#written = undefined
    this.#writeIn(0)
  }

  close(): void {
    this.#closed = true
    this.#cancel?.()
  }

  #writeIn(delayMs: number): void {
    if (this.#closed) return
    this.#cancel ??= this.#options.world.after(delayMs, () => {
      this.#cancel = undefined
      this.#write().catch((error: unknown) => {
        this.#options.onTrouble(error)
        this.#writeIn(RETRY_MS)
      })
    })
  }

  async #write(): Promise<void> {
    const { client, namespace, name, leads } = this.#options
    const publication = this.#wanted
    if (publication === undefined || !leads() || this.#written === publication.table.version) return
    // The oldest format: whoever starts from it may be the older program.
    const snapshot = [...publication.snapshots.values()].at(-1)
    if (snapshot === undefined) return
    const bytes = await compress(writeSnapshotText(snapshot, publication.highWater))
    if (bytes.length > MAX_BYTES) {
      throw new Error(`the compressed table has ${bytes.length} bytes, a Secret holds ${MAX_BYTES}`)
    }
    if (!leads()) return
    await client.apply(
      { resource: SECRETS, namespace, name },
      { metadata: { name, namespace }, type: 'Opaque', data: { [LAST_GOOD_KEY]: bytes.toString('base64') } },
      { fieldManager: 'korproxy-controller' },
    )
    this.#written = publication.table.version
    if (this.#wanted !== publication) this.#writeIn(GATHER_MS)
  }
}

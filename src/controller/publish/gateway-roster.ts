import type { Diagnostic, GatewayAck, GatewayReport } from '#table/messages.ts'
import type { TimeAndChance } from '../kube/time-and-chance.ts'

/** Reports come every 10 s: one may be lost. */
const HEARD_MS = 25_000
/** A pod that left does not come back under its name; until then status shows it as gone. */
const REMEMBERED_MS = 60_000
const MAX_GATEWAYS = 2_000

/** What a gateway said of a table. */
export interface Verdict {
  readonly version: string
  readonly result: 'ACK' | 'NACK'
  readonly diagnostics: readonly Diagnostic[]
  /** Unix time, ms. */
  readonly atMs: number
}

/** A gateway as this controller knows it. */
export interface RosterEntry {
  /** Pod. */
  readonly name: string
  readonly bootId: string | undefined
  readonly image: string | undefined
  /** It has a stream here, or was heard of lately, perhaps by way of another controller. */
  readonly connected: boolean
  /** It has a stream to this very controller. */
  readonly local: boolean
  /** The table that serves, by its own words. */
  readonly runs: string | undefined
  readonly verdict: Verdict | undefined
  readonly report: GatewayReport | undefined
}

interface Entry {
  readonly name: string
  bootId: string | undefined
  image: string | undefined
  streams: number
  heardAtMs: number
  runs: string | undefined
  verdict: Verdict | undefined
  report: GatewayReport | undefined
}

/** The gateways that are or were here lately: what they run, what they refused, how their accounts are. */
export class GatewayRoster {
  readonly #world: Pick<TimeAndChance, 'monotonic' | 'unixTime'>
  readonly #onChange: () => void
  readonly #entries = new Map<string, Entry>()

  constructor(world: Pick<TimeAndChance, 'monotonic' | 'unixTime'>, onChange: () => void) {
    this.#world = world
    this.#onChange = onChange
  }

  /** By name. */
  all(): RosterEntry[] {
    const nowMs = this.#world.monotonic()
    for (const [name, { streams, heardAtMs }] of this.#entries) {
      if (streams === 0 && nowMs - heardAtMs > REMEMBERED_MS) this.#entries.delete(name)
    }
    const entries = [...this.#entries.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
    return entries.map(({ streams, heardAtMs, ...entry }) => ({
      ...entry,
      connected: streams > 0 || nowMs - heardAtMs <= HEARD_MS,
      local: streams > 0,
    }))
  }

  /** A stream was opened; call the result when it ends. */
  streamOpened(name: string): () => void {
    const entry = this.#heard(name)
    entry.streams += 1
    this.#onChange()
    let open = true
    return () => {
      if (!open) return
      open = false
      entry.streams -= 1
      // Whoever closes its stream is gone, unless it says something again.
      entry.heardAtMs = this.#world.monotonic() - HEARD_MS - 1
      this.#onChange()
    }
  }

  acknowledged({ gateway, bootId, version, result, image, diagnostics }: GatewayAck): void {
    const entry = this.#heard(gateway)
    this.#boot(entry, bootId)
    entry.image = image
    if (result === 'ACK') entry.runs = version
    entry.verdict = { version, result, diagnostics, atMs: this.#world.unixTime() }
    this.#onChange()
  }

  reported(report: GatewayReport): void {
    const entry = this.#heard(report.gateway)
    this.#boot(entry, report.bootId)
    entry.report = report
    entry.runs = report.version
    this.#onChange()
  }

  #heard(name: string): Entry {
    const known = this.#entries.get(name) ?? this.#add(name)
    known.heardAtMs = this.#world.monotonic()
    return known
  }

  #add(name: string): Entry {
    if (this.#entries.size >= MAX_GATEWAYS) this.#forgetOneGone()
    const unknown = { bootId: undefined, image: undefined, runs: undefined, verdict: undefined, report: undefined }
    const entry: Entry = { name, streams: 0, heardAtMs: 0, ...unknown }
    this.#entries.set(name, entry)
    return entry
  }

  #forgetOneGone(): void {
    const gone = [...this.#entries.values()].find(({ streams }) => streams === 0)
    if (gone !== undefined) this.#entries.delete(gone.name)
  }

  /** What an earlier process of the pod said counts no more. */
  #boot(entry: Entry, bootId: string): void {
    if (entry.bootId === bootId) return
    Object.assign(entry, { bootId, runs: undefined, verdict: undefined, report: undefined })
  }
}

import { KorProxyError } from '#errors/korproxy-error.ts'
import type { HighWater } from '#table/high-water.ts'
import type { SnapshotNotice } from '#table/messages.ts'
import { refusalError } from '#table/refusal-error.ts'
import type { RoutingTable } from '#table/routing-table.ts'
import type { TableFormat } from '#table/table-formats.ts'
import type { Sha256 } from '#table/table-version.ts'
import type { TimeAndChance } from '../kube/time-and-chance.ts'
import { Debounce } from './debounce.ts'
import type { GatewayRoster } from './gateway-roster.ts'
import { noticeOf, type Offer, type Publication, preparePublication, snapshotFor } from './publication.ts'
import { type CanaryPlan, Rollout, type RolloutState, type RolloutWord } from './rollout.ts'
import { SnapshotArchive } from './snapshot-archive.ts'

/** While a canary is watched, this often. */
const STEP_MS = 1_000

export interface Proposal {
  readonly offer: Offer
  /** Undefined = all gateways at once. */
  readonly plan: CanaryPlan | undefined
}

export interface Withheld {
  readonly table: RoutingTable
  readonly error: KorProxyError
}

export interface PublisherListener {
  /** Gateways may have to run something else now. */
  targetsChanged(): void
  /** A new table was written out; it is the newest from now on. */
  prepared(publication: Publication): void
  /** All gateways, except canaries, should run this from now on. */
  published(publication: Publication): void
  /** A table that gateways would refuse was not sent; the last one stays. Undefined: that is over. */
  withheldChanged(withheld: Withheld | undefined): void
  rolloutChanged(state: RolloutState | undefined): void
}

export interface PublisherOptions {
  readonly world: TimeAndChance
  readonly sha256: Sha256
  readonly roster: GatewayRoster
  readonly listener: PublisherListener
  readonly formats?: readonly TableFormat[]
  /** Whether this controller decides on roll-outs. By default it does. */
  readonly role?: () => 'Decides' | 'Follows'
}

/** Takes compiled tables, lets them gather, checks them, and says which gateway should run which. */
export class Publisher {
  readonly archive = new SnapshotArchive()
  readonly #options: PublisherOptions
  readonly #rollout: Rollout
  readonly #debounce: Debounce<() => Proposal>
  #offered: Publication | undefined
  /** How far everything was watched when the newest table was compiled last, also when it came out the same. */
  #highWater: HighWater = {}
  #withheld: Withheld | undefined
  #cancelStep: (() => void) | undefined
  #lastState = ''

  constructor(options: PublisherOptions) {
    this.#options = options
    this.#rollout = new Rollout(options.role)
    this.#debounce = new Debounce(options.world, (propose) => this.#publish(propose()))
  }

  /**
   * @param propose called once at most, and not at all when another proposal comes before this one is due. The first of a burst is made
   * while it waits, so that it costs no time.
   */
  offer(propose: () => Proposal, urgency: 'AtOnce' | 'Gather'): void {
    let proposal: Proposal | undefined
    const proposeOnce = (): Proposal => {
      proposal ??= propose()
      return proposal
    }
    if (urgency === 'AtOnce' || this.#offered === undefined) this.#debounce.addUrgent(proposeOnce)
    else {
      const isFirst = this.#debounce.waiting === undefined
      this.#debounce.add(proposeOnce)
      if (isFirst) proposeOnce()
    }
  }

  /** Makes the proposal that waits, for somebody who wants to know now what is wrong with it. */
  makeWaiting(): void {
    this.#debounce.waiting?.()
  }

  /** What gateways run unless they are canaries; undefined before the first table. */
  get stable(): Publication | undefined {
    return this.#rollout.stable
  }

  /** The newest publication, whether or not all gateways should run it yet. */
  get newest(): Publication | undefined {
    return this.#offered
  }

  /** The newest table, when it is not sent. */
  get withheld(): Withheld | undefined {
    return this.#withheld
  }

  get rollout(): RolloutState | undefined {
    return this.#rollout.state
  }

  /** What this gateway should run. Undefined before the first table. @throws KP-CONF-212 when it reads no format that is served */
  noticeFor(gateway: string, formats: readonly number[]): SnapshotNotice | undefined {
    const target = this.#rollout.targetOf(gateway)
    if (target === undefined) return undefined
    const snapshot = snapshotFor(target.publication, formats)
    if (snapshot === undefined) throw new KorProxyError('KP-CONF-212', { format: target.publication.table.format })
    const highWater = target.publication === this.#offered ? this.#highWater : target.publication.highWater
    const ignoreWhenOlder = target.takenBack ? 'Never' : 'Always'
    return noticeOf(snapshot, { urgent: target.publication.urgent, highWater }, ignoreWhenOlder)
  }

  /** Gateways came, went or spoke. */
  rosterChanged(): void {
    this.#change(() => this.#rollout.step(this.#options.roster.all(), this.#options.world.monotonic()))
  }

  /** What the controllers that follow should hear. */
  get word(): RolloutWord | undefined {
    return this.#rollout.word
  }

  /** The controller that decides has said something. */
  heard(word: RolloutWord): void {
    this.#change(() => this.#rollout.heard(word))
  }

  #change(act: () => void): void {
    const before = this.#rollout.stable
    act()
    const after = this.#rollout.stable
    if (after !== undefined && after !== before) this.#options.listener.published(after)
    const state = JSON.stringify([this.#rollout.state ?? null, after?.table.version ?? null])
    if (state !== this.#lastState) {
      this.#lastState = state
      this.#options.listener.rolloutChanged(this.#rollout.state)
      this.#options.listener.targetsChanged()
    }
    this.#stepSoon()
  }

  close(): void {
    this.#debounce.close()
    this.#cancelStep?.()
    this.#cancelStep = undefined
  }

  #publish({ offer, plan }: Proposal): void {
    const { listener, sha256, formats } = this.#options
    this.#highWater = offer.highWater
    // The same table again: gateways need not hear of it.
    if (this.#offered?.table.version === offer.table.version) {
      this.#withhold(undefined)
      return
    }
    const publication = preparePublication(offer, sha256, formats)
    if ('reason' in publication) {
      this.#withhold({ table: offer.table, error: refusalError(publication) })
      return
    }
    this.#withhold(undefined)
    for (const snapshot of publication.snapshots.values()) this.archive.keep(snapshot)
    this.#offered = publication
    const before = this.#rollout.stable
    this.#rollout.offer(publication, plan)
    if (this.#rollout.stable !== before) listener.published(publication)
    this.rosterChanged()
    listener.targetsChanged()
    // Gateways fetch it meanwhile.
    listener.prepared(publication)
  }

  #withhold(withheld: Withheld | undefined): void {
    const before = this.#withheld
    this.#withheld = withheld
    if (before?.table.version !== withheld?.table.version) this.#options.listener.withheldChanged(withheld)
  }

  #stepSoon(): void {
    const { phase } = this.#rollout.state ?? {}
    if (phase === undefined || phase === 'Held' || this.#cancelStep !== undefined) return
    this.#cancelStep = this.#options.world.after(STEP_MS, () => {
      this.#cancelStep = undefined
      this.rosterChanged()
    })
  }
}

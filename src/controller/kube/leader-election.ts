import type { ApiClient } from './api-client.ts'
import { isRefusal } from './api-error.ts'
import { type ApiAddress, LEASES } from './api-resource.ts'
import { type LeaseRecord, leaseBody, readLease } from './lease-record.ts'
import { pause, type TimeAndChance } from './time-and-chance.ts'

/** @see https://pkg.go.dev/k8s.io/client-go/tools/leaderelection#pkg-constants */
const LEASE_MS = 15_000
const RENEW_DEADLINE_MS = 10_000
const RETRY_MS = 2_000
const JITTER = 0.2

interface LeaderListener {
  /** From now on this replica leads. */
  started(term: number): void
  /** The lease is lost: whoever wrote as a leader must stop at once; a process exits. */
  lost(): void
  /** Somebody else leads, or nobody. */
  observed(leader: LeaseRecord | undefined): void
  /** What the leader, which is another, tells; with every change of its Lease. */
  told?(word: string): void
  /** The API server did not answer as hoped; it is asked again. */
  troubled(error: unknown): void
}

export interface LeaderElectionOptions {
  readonly client: Pick<ApiClient, 'get' | 'create' | 'update'>
  readonly world: TimeAndChance
  readonly namespace: string
  /** Name of the Lease. */
  readonly name: string
  /** This replica, usually its pod. */
  readonly identity: string
  /** Where the other replicas reach this one while it leads. */
  readonly address?: string
  /** What this one tells the others while it leads: in its Lease, which they read every two seconds. */
  readonly word?: () => string | undefined
  readonly listener: LeaderListener
}

/** One leader among the replicas, by a Lease. Time is measured here alone: clocks of other machines do not matter. */
export class LeaderElection {
  readonly #options: LeaderElectionOptions
  readonly #lease: ApiAddress
  /** The lease as last seen, and when it last changed by our own clock. */
  #seen: { readonly record: LeaseRecord; readonly at: number } | undefined
  /** When the renewal was sent that the API server last accepted; undefined = not leader. */
  #renewedAt: number | undefined
  #term = 0

  constructor(options: LeaderElectionOptions) {
    this.#options = options
    this.#lease = { resource: LEASES, namespace: options.namespace, name: options.name }
  }

  /**
   * Whether this replica may act as leader at this very moment. Ask before each write: a process that was frozen has lost the
   * lease before it knows.
   */
  get leads(): boolean {
    return this.#renewedAt !== undefined && this.#options.world.monotonic() - this.#renewedAt < RENEW_DEADLINE_MS
  }

  /** Rises with every change of leader; of two that call themselves leader the one with the higher term is right. */
  get term(): number {
    return this.#term
  }

  /** Who leads, as far as is known. */
  get leader(): LeaseRecord | undefined {
    return this.#seen?.record.holder === '' ? undefined : this.#seen?.record
  }

  /** Runs for the lease, and keeps it once it has it, until the signal is aborted or the lease is lost. Gives it back on abort. */
  async run(signal: AbortSignal): Promise<void> {
    const { listener, world } = this.#options
    while (!signal.aborted && !(await this.#try())) {
      await pause(world, RETRY_MS * (1 + JITTER * world.random()), signal)
    }
    if (signal.aborted) return this.#release()
    listener.started(this.#term)
    while (!signal.aborted) {
      await pause(world, RETRY_MS, signal)
      if (signal.aborted) break
      const kept = await this.#try()
      const taken = this.#seen !== undefined && this.#seen.record.holder !== this.#options.identity
      if (taken || (!kept && !this.leads)) {
        this.#renewedAt = undefined
        return listener.lost()
      }
    }
    await this.#release()
  }

  async #try(): Promise<boolean> {
    try {
      return await this.#acquireOrRenew()
    } catch (error) {
      // 409: another replica was faster.
      if (!isRefusal(error, 409)) this.#options.listener.troubled(error)
      return false
    }
  }

  async #acquireOrRenew(): Promise<boolean> {
    const { client, identity, world } = this.#options
    const sentAt = world.monotonic()
    const found = await this.#read()
    if (found === undefined) {
      this.#take(readLease(await client.create(this.#collection(), this.#body(undefined))), sentAt)
      return true
    }
    this.#observe(found)
    const held = found.holder !== '' && found.holder !== identity
    const expiresAt = (this.#seen?.at ?? world.monotonic()) + found.durationMs
    if (held && world.monotonic() < expiresAt) return false
    this.#take(readLease(await client.update(this.#lease, this.#body(found))), sentAt)
    return true
  }

  async #read(): Promise<LeaseRecord | undefined> {
    try {
      return readLease(await this.#options.client.get(this.#lease))
    } catch (error) {
      if (isRefusal(error, 404)) return undefined
      throw error
    }
  }

  #observe(record: LeaseRecord): void {
    const before = this.#seen?.record
    if (before?.resourceVersion === record.resourceVersion) return
    const { world, identity, listener } = this.#options
    this.#seen = { record, at: world.monotonic() }
    if (record.word !== undefined && record.holder !== '' && record.holder !== identity) listener.told?.(record.word)
    if (before?.holder === record.holder && before.address === record.address) return
    listener.observed(this.leader)
  }

  #take(record: LeaseRecord, sentAt: number): void {
    this.#observe(record)
    this.#term = record.transitions
    this.#renewedAt = sentAt
  }

  /** So that the next leader need not wait for the lease to run out. */
  async #release(): Promise<void> {
    if (!this.leads || this.#seen === undefined) return
    this.#renewedAt = undefined
    const { client, listener } = this.#options
    try {
      await client.update(this.#lease, this.#released(this.#seen.record))
    } catch (error) {
      listener.troubled(error)
    }
  }

  #body(before: LeaseRecord | undefined): object {
    const { namespace, name, identity, address, world } = this.#options
    const content = { holder: identity, durationMs: LEASE_MS, nowMs: world.unixTime() }
    const word = this.#options.word?.()
    const told = { ...(address !== undefined && { address }), ...(word !== undefined && { word }) }
    return leaseBody({ namespace, name, ...told, ...content }, before)
  }

  #released(before: LeaseRecord): object {
    const { namespace, name, world } = this.#options
    return leaseBody({ namespace, name, holder: '', durationMs: 1_000, nowMs: world.unixTime() }, before)
  }

  #collection(): ApiAddress {
    return { resource: LEASES, namespace: this.#options.namespace }
  }
}

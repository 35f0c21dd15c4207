import { ADDRCONFIG, type LookupAddress } from 'node:dns'
import { lookup } from 'node:dns/promises'

/** All addresses of a name. Rejects with an error that has the system's `code`. */
export type NameLookup = (hostname: string) => Promise<readonly LookupAddress[]>

export const systemLookup: NameLookup = (hostname) => lookup(hostname, { all: true, hints: ADDRCONFIG })

/** What a name last resolved to serves so long while nobody can tell what it resolves to now. */
const KEPT_MS = 300_000
/** An answer that comes later than this is not waited for when there is a last one. */
const PATIENCE_MS = 1_000
/** A failure stands for so long, so that a resolver in trouble is not asked by every connection. */
const FAILED_MS = 5_000
/** The resolver did not answer, or has trouble of its own. That a name does not exist is an answer. */
const UNANSWERED: ReadonlySet<unknown> = new Set(['EAI_AGAIN', 'EAI_FAIL', 'ESERVFAIL', 'ETIMEOUT', 'ECONNREFUSED'])

interface Name {
  addresses: readonly LookupAddress[] | undefined
  resolvedAtMs: number
  failure: Error | undefined
  failedAtMs: number
  askedAtMs: number
  asking: Promise<readonly LookupAddress[]> | undefined
}

export interface NameMemoryOptions {
  readonly lookup: NameLookup
  /** Milliseconds; never goes back. */
  readonly monotonic: () => number
  /** A name could not be resolved, and what it last resolved to serves instead. */
  readonly report: (hostname: string, error: Error) => void
}

/**
 * Names of providers, asked anew for each connection, once at a time. It bridges short outages of the resolver: those of a cluster have
 * them, and each look-up that hangs holds one of Node's few threads.
 */
export class NameMemory {
  readonly #options: NameMemoryOptions
  readonly #names = new Map<string, Name>()

  constructor(options: NameMemoryOptions) {
    this.#options = options
  }

  readonly lookup: NameLookup = async (hostname) => {
    const nowMs = this.#options.monotonic()
    const name = this.#nameOf(hostname, nowMs)
    if (name.failure !== undefined && nowMs - name.failedAtMs < FAILED_MS) return keptOr(name, name.failure)
    if (name.asking === undefined) {
      name.askedAtMs = nowMs
      name.asking = this.#ask(hostname, name)
    }
    if (name.addresses === undefined) return await name.asking
    return await within(PATIENCE_MS - (nowMs - name.askedAtMs), name.asking, name.addresses)
  }

  async #ask(hostname: string, name: Name): Promise<readonly LookupAddress[]> {
    try {
      name.addresses = await this.#options.lookup(hostname)
      name.resolvedAtMs = this.#options.monotonic()
      name.failure = undefined
      return name.addresses
    } catch (error) {
      name.failure = error instanceof Error ? error : new Error(String(error))
      name.failedAtMs = this.#options.monotonic()
      const kept = keptOr(name, name.failure)
      this.#options.report(hostname, name.failure)
      return kept
    } finally {
      name.asking = undefined
    }
  }

  #nameOf(hostname: string, nowMs: number): Name {
    this.#forgetOld(nowMs)
    const known = this.#names.get(hostname)
    if (known !== undefined) return known
    const name: Name = {
      addresses: undefined,
      resolvedAtMs: nowMs,
      failure: undefined,
      failedAtMs: nowMs,
      askedAtMs: nowMs,
      asking: undefined,
    }
    this.#names.set(hostname, name)
    return name
  }

  /** Destinations come and go with the configuration. */
  #forgetOld(nowMs: number): void {
    for (const [hostname, name] of this.#names) {
      if (nowMs - name.resolvedAtMs <= KEPT_MS) continue
      name.addresses = undefined
      if (name.asking === undefined && nowMs - name.failedAtMs > FAILED_MS) this.#names.delete(hostname)
    }
  }
}

/** @throws the failure, where no addresses may stand in */
function keptOr({ addresses }: Name, failure: Error): readonly LookupAddress[] {
  const isUnanswered = 'code' in failure && UNANSWERED.has(failure.code)
  if (addresses === undefined || !isUnanswered) throw failure
  return addresses
}

async function within<Value>(ms: number, work: Promise<Value>, otherwise: Value): Promise<Value> {
  const { promise, resolve } = Promise.withResolvers<Value>()
  const timer = setTimeout(resolve, ms, otherwise)
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}

import { KINDS, type Kind } from '#resources/kinds.ts'
import type { ObjectReference, Problem, Resource, ResourceSet } from '#resources/resource.ts'
import type { ApiClient } from '../kube/api-client.ts'
import { isRefusal } from '../kube/api-error.ts'
import { type ApiResource, resourceOfKind, SECRETS } from '../kube/api-resource.ts'
import type { CacheChange } from '../kube/object-cache.ts'
import { Reflector, type ReflectorCounter } from '../kube/reflector.ts'
import { pause, type TimeAndChance } from '../kube/time-and-chance.ts'
import { CREDENTIAL_LABEL, NamedSecrets, secretsNamedBy } from './named-secrets.ts'
import { type ObservedObject, ObservedObjects } from './observed-objects.ts'
import { resetRequests } from './reset-request.ts'

/** Everything the cluster says, and what is wrong in it. Immutable. */
export interface KubernetesSet extends ResourceSet {
  readonly problems: readonly Problem[]
}

/** The part of a pino logger that is used here. */
interface SourceLog {
  warn(details: object, message: string): void
}

interface SourceMetrics {
  counted(kind: string, counter: ReflectorCounter, amount: number): void
}

export interface KubernetesSourceOptions {
  readonly client: ApiClient
  readonly world: TimeAndChance
  /** Absent: all namespaces, which needs a ClusterRole. */
  readonly namespaces?: readonly string[]
  /** Called with each new set, never with the first one. Urgent ones must not wait for others to gather. */
  readonly onChange: (set: KubernetesSet, hint: { readonly urgent: boolean }) => void
  /** Status of an object changed, or anything else that `objects` shows; not before `start` is done. */
  readonly onObserved?: () => void
  /** Somebody wants the gateways to forget the health of an account. */
  readonly onResetRequest?: (account: ObjectReference) => void
  readonly log: SourceLog
  readonly metrics?: SourceMetrics
}

/** A Secret that is named for the first time is waited for, so that a new reference never empties an account; but not for ever. */
const SECRET_WAIT_MS = 1_000
const FIRST_SECRETS_WAIT_MS = 10_000

const NO_METRICS: SourceMetrics = { counted: () => {} }

/** Follows the resources of a cluster and the Secrets that they name. An object that becomes invalid stays as it was last valid. */
export class KubernetesSource {
  readonly #options: KubernetesSourceOptions
  readonly #observed = new ObservedObjects()
  readonly #reflectors: { readonly kind: string; readonly mark: string; readonly reflector: Reflector }[] = []
  readonly #secretReflectors: Reflector[] = []
  readonly #secrets: NamedSecrets
  readonly #stop = new AbortController()
  #running: Promise<unknown> = Promise.resolve()
  #set: KubernetesSet = { resources: [], secrets: [], externalCredentials: [], problems: [] }
  #ready = false
  #urgent = false
  #flush: (() => void) | undefined
  #secretsForbidden = false
  #waiters: (() => void)[] = []

  constructor(options: KubernetesSourceOptions) {
    this.#options = options
    this.#secrets = new NamedSecrets({
      client: options.client,
      world: options.world,
      labelled: () => this.#secretReflectors.map(({ objects }) => objects),
      onChange: () => this.#flushSoon(false),
      onTrouble: (error, secret) => options.log.warn({ err: error, name: secret }, 'Secret cannot be read'),
    })
    for (const namespace of options.namespaces ?? [undefined]) {
      for (const kind of Object.keys(KINDS) as Kind[]) this.#reflectKind(kind, namespace)
      this.#reflectSecrets(namespace)
    }
  }

  /** Resolves when everything is known; before, there is nothing to publish. */
  async start(): Promise<void> {
    const { signal } = this.#stop
    const reflectors = [...this.#reflectors.map(({ reflector }) => reflector), ...this.#secretReflectors]
    this.#running = Promise.all([this.#secrets.run(), ...reflectors.map((reflector) => reflector.run(signal))])
    while (!this.synced && !signal.aborted) await new Promise<void>((resolve) => this.#waiters.push(resolve))
    if (signal.aborted) return
    await this.#awaitSecrets(FIRST_SECRETS_WAIT_MS)
    this.#ready = true
    this.#set = this.#build()
    // What changed in between.
    this.#secrets.want(secretsNamedBy(this.#set.resources))
  }

  current(): KubernetesSet {
    return this.#set
  }

  /** Each object as the cluster has it now, valid or not, with its status. */
  objects(): readonly ObservedObject[] {
    return this.#observed.all()
  }

  /** Whether every kind was known as a whole at some time. */
  get synced(): boolean {
    const known = this.#reflectors.every(({ reflector }) => reflector.synced)
    return known && (this.#secretsForbidden || this.#secretReflectors.every(({ synced }) => synced))
  }

  /** Whether the API server has been out of reach of any watch for over three minutes. */
  get stale(): boolean {
    return this.#reflectors.some(({ reflector }) => reflector.stale)
  }

  /** Since the last event or bookmark, milliseconds, by kind; of several namespaces the longest. */
  lastEventAgesMs(): ReadonlyMap<string, number> {
    const ages = new Map<string, number>()
    for (const { kind, reflector } of this.#reflectors) {
      ages.set(kind, Math.max(ages.get(kind) ?? 0, reflector.lastEventAgeMs))
    }
    return ages
  }

  /** How far each kind was watched: the newest resourceVersion; of several namespaces by namespace. */
  highWater(): Readonly<Record<string, string>> {
    const marks: Record<string, string> = {}
    for (const { mark, reflector } of this.#reflectors) {
      if (reflector.reached !== undefined) marks[mark] = reflector.reached
    }
    return marks
  }

  /** Reads a Secret again at once, such as after writing it. */
  refreshSecret(namespace: string, name: string): void {
    this.#secrets.refresh(namespace, name)
  }

  async close(): Promise<void> {
    this.#stop.abort()
    this.#secrets.close()
    this.#flush?.()
    this.#wake()
    await this.#running
  }

  #reflectKind(kind: Kind, namespace: string | undefined): void {
    const changed = (changes: readonly CacheChange[]): void => {
      const change = this.#observed.apply(kind, changes)
      if (change.changed) this.#flushSoon(change.urgent)
      if (this.#ready) this.#options.onObserved?.()
      if (kind !== 'ProviderAccount') return
      for (const account of resetRequests(changes)) this.#options.onResetRequest?.(account)
    }
    const mark = namespace === undefined ? kind : `${namespace}/${kind}`
    this.#reflectors.push({ kind, mark, reflector: this.#reflector(resourceOfKind(kind), namespace, changed) })
  }

  #reflectSecrets(namespace: string | undefined): void {
    const changed = (): void => {
      this.#secrets.watchChanged()
      this.#flushSoon(false)
    }
    this.#secretReflectors.push(this.#reflector(SECRETS, namespace, changed))
  }

  #reflector(
    resource: ApiResource,
    namespace: string | undefined,
    changed: (changes: readonly CacheChange[]) => void,
  ): Reflector {
    const { client, world, log, metrics = NO_METRICS } = this.#options
    return new Reflector({
      client,
      world,
      address: { resource, ...(namespace !== undefined && { namespace }) },
      ...(resource === SECRETS && { query: { labelSelector: `${CREDENTIAL_LABEL}=true` } }),
      listener: {
        changed,
        synced: () => this.#wake(),
        counted: (counter, amount) => metrics.counted(resource.kind, counter, amount),
        troubled: (error, retryInMs) => {
          const byNameOnly = resource === SECRETS && isRefusal(error, 403)
          if (!byNameOnly || !this.#secretsForbidden) {
            log.warn({ err: error, kind: resource.kind, namespace, retryInMs }, 'watch failed; it is tried again')
          }
          if (!byNameOnly) return
          // The Role lets us read Secrets by name only: that is enough.
          this.#secretsForbidden = true
          this.#wake()
        },
      },
    })
  }

  /** All events of one moment make one set. */
  #flushSoon(urgent: boolean): void {
    if (!this.#ready) return
    this.#urgent ||= urgent
    this.#flush ??= this.#options.world.after(0, () => {
      const hint = { urgent: this.#urgent }
      this.#flush = undefined
      this.#urgent = false
      void this.#tell(hint)
    })
  }

  async #tell(hint: { readonly urgent: boolean }): Promise<void> {
    await this.#awaitSecrets(SECRET_WAIT_MS)
    if (this.#stop.signal.aborted) return
    this.#set = this.#build()
    this.#options.onChange(this.#set, hint)
  }

  async #awaitSecrets(limitMs: number): Promise<void> {
    this.#secrets.want(secretsNamedBy(this.#resources()))
    if (this.#secrets.complete) return
    const over = new AbortController()
    await Promise.race([this.#secrets.completed(), pause(this.#options.world, limitMs, over.signal)])
    over.abort()
  }

  #build(): KubernetesSet {
    return {
      resources: this.#resources(),
      secrets: this.#secrets.current(),
      externalCredentials: [],
      problems: this.#observed.all().flatMap(({ problems }) => problems),
    }
  }

  #resources(): Resource[] {
    return this.#observed.all().flatMap(({ resource }) => (resource === undefined ? [] : [resource]))
  }

  #wake(): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const wake of waiters) wake()
  }
}

import { isRecord } from '#resources/finding.ts'
import type { Resource, SecretObject } from '#resources/resource.ts'
import type { ApiClient } from '../kube/api-client.ts'
import { isRefusal } from '../kube/api-error.ts'
import { SECRETS } from '../kube/api-resource.ts'
import type { KubeObject } from '../kube/kube-object.ts'
import type { TimeAndChance } from '../kube/time-and-chance.ts'
import { WorkQueue } from '../kube/work-queue.ts'

/** Secrets with this label, set to `true`, are watched: a change counts at once. */
export const CREDENTIAL_LABEL = 'korproxy.dev/credential'
const REREAD_MS = 60_000
const MISSING_MS = 5_000
const READERS = 4

export interface NamedSecretsOptions {
  readonly client: Pick<ApiClient, 'get'>
  readonly world: TimeAndChance
  /** The Secrets with the label, by `namespace/name`. */
  readonly labelled: () => ReadonlyMap<string, KubeObject>[]
  readonly onChange: () => void
  readonly onTrouble: (error: unknown, secret: string) => void
}

/**
 * The Secrets that resources name, and no others. Those with the label come from a watch; the rest are read one by one, by name,
 * every minute (a missing one every 5 s). A Role that grants nothing but `get` of some names is therefore enough.
 */
export class NamedSecrets {
  readonly #options: NamedSecretsOptions
  readonly #queue: WorkQueue
  #wanted: ReadonlySet<string> = new Set()
  /** Read by name; undefined = it does not exist. */
  readonly #read = new Map<string, KubeObject | undefined>()
  /** Decoded once a version. */
  readonly #decoded = new WeakMap<KubeObject, SecretObject>()
  #waiters: (() => void)[] = []

  constructor(options: NamedSecretsOptions) {
    this.#options = options
    this.#queue = new WorkQueue(options.world)
  }

  /** Until `close`. */
  async run(): Promise<void> {
    await this.#queue.run(READERS, (key) => this.#reread(key))
  }

  close(): void {
    this.#queue.close()
    this.#wake()
  }

  /** Says which Secrets matter, by `namespace/name`. */
  want(names: ReadonlySet<string>): void {
    const before = this.#wanted
    this.#wanted = names
    for (const key of this.#read.keys()) if (!names.has(key)) this.#read.delete(key)
    for (const key of names) if (!before.has(key) && this.#watched(key) === undefined) this.#queue.add(key)
    this.#wake()
  }

  /** Reads one again at once, such as after writing it. */
  refresh(namespace: string, name: string): void {
    const key = `${namespace}/${name}`
    if (this.#wanted.has(key) && this.#watched(key) === undefined) this.#queue.add(key)
  }

  /** What the watch lost sight of, such as a Secret without its label, is read by name. */
  watchChanged(): void {
    for (const key of this.#wanted) {
      if (this.#watched(key) !== undefined) this.#read.delete(key)
      else if (!this.#read.has(key)) this.#queue.add(key)
    }
    this.#wake()
  }

  /** Sorted by name. */
  current(): SecretObject[] {
    return [...this.#wanted].toSorted().flatMap((key) => {
      const object = this.#watched(key) ?? this.#read.get(key)
      return object === undefined ? [] : [this.#decode(object)]
    })
  }

  /** Resolves when each wanted Secret is known, or known to be missing. */
  async completed(): Promise<void> {
    while (!this.complete) await new Promise<void>((resolve) => this.#waiters.push(resolve))
  }

  get complete(): boolean {
    return [...this.#wanted].every((key) => this.#watched(key) !== undefined || this.#read.has(key))
  }

  async #reread(key: string): Promise<void> {
    if (!this.#wanted.has(key)) return
    if (this.#watched(key) !== undefined) {
      this.#read.delete(key)
      return
    }
    const [namespace = '', name = ''] = key.split('/')
    const before = this.#read.get(key)
    try {
      this.#read.set(key, await this.#options.client.get({ resource: SECRETS, namespace, name }))
      this.#queue.forget(key)
    } catch (error) {
      if (isRefusal(error, 404)) this.#read.set(key, undefined)
      else {
        this.#options.onTrouble(error, key)
        // What may not be read does not exist for us; what cannot be read just now stays as it was.
        if (isRefusal(error, 403)) this.#read.set(key, undefined)
        else return this.#queue.retry(key, MISSING_MS)
      }
    }
    const after = this.#read.get(key)
    this.#queue.addAfter(key, after === undefined ? MISSING_MS : REREAD_MS * (0.9 + 0.2 * this.#options.world.random()))
    this.#wake()
    if (before?.metadata.resourceVersion !== after?.metadata.resourceVersion) this.#options.onChange()
  }

  #watched(key: string): KubeObject | undefined {
    for (const objects of this.#options.labelled()) {
      const object = objects.get(key)
      if (object !== undefined) return object
    }
    return undefined
  }

  #decode(object: KubeObject): SecretObject {
    const known = this.#decoded.get(object)
    if (known !== undefined) return known
    const secret = readSecret(object)
    this.#decoded.set(object, secret)
    return secret
  }

  #wake(): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const wake of waiters) wake()
  }
}

/** Decodes the values. */
export function readSecret({ metadata, ...object }: KubeObject): SecretObject {
  const data = isRecord(object['data']) ? object['data'] : {}
  const entries = Object.entries(data).map(([key, value]) => [
    key,
    Buffer.from(String(value), 'base64').toString('utf8'),
  ])
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    labels: metadata.labels ?? {},
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    data: Object.fromEntries(entries),
  }
}

/** `namespace/name` of every Secret that a resource names. */
export function secretsNamedBy(resources: readonly Resource[]): ReadonlySet<string> {
  return new Set(
    resources.flatMap((resource) => namesIn(resource).map((name) => `${resource.metadata.namespace}/${name}`)),
  )
}

function namesIn(resource: Resource): string[] {
  if (resource.kind === 'GatewayClient') {
    return resource.spec.credentials.flatMap(({ secretKeyRef }) =>
      secretKeyRef === undefined ? [] : [secretKeyRef.name],
    )
  }
  if (resource.kind !== 'ProviderAccount') return []
  const { auth, tls } = resource.spec
  const references = [
    auth?.secretKeyRef,
    auth?.oauth2?.clientSecretRef,
    auth?.oauth2?.refreshTokenRef,
    tls?.caSecretKeyRef,
  ]
  return references.flatMap((reference) => (reference === undefined ? [] : [reference.name]))
}

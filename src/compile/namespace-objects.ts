import type { Kind } from '#resources/kinds.ts'
import type {
  ExternalCredential,
  Resource,
  ResourceObject,
  ResourceSet,
  SecretObject,
  Unread,
  UnreadCredential,
} from '#resources/resource.ts'

/** The objects of one namespace, by kind and name; references never leave it. */
export class NamespaceObjects {
  readonly name: string
  readonly #byKind = new Map<Kind, Map<string, Resource>>()
  readonly #secrets: ReadonlyMap<string, SecretObject>
  readonly #external: ReadonlyMap<string, ExternalCredential>
  readonly #unread: Unread

  constructor(name: string, set: ResourceSet, unread: Unread) {
    this.name = name
    this.#unread = unread
    const own = set.resources.filter(({ metadata }) => metadata.namespace === name)
    for (const resource of own.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))) {
      const byName = this.#byKind.get(resource.kind) ?? new Map<string, Resource>()
      byName.set(resource.metadata.name, resource)
      this.#byKind.set(resource.kind, byName)
    }
    this.#secrets = new Map(
      set.secrets.filter(({ namespace }) => namespace === name).map((secret) => [secret.name, secret]),
    )
    this.#external = new Map(
      set.externalCredentials
        .filter(({ namespace }) => namespace === name)
        .map((credential) => [credential.account, credential]),
    )
  }

  /** Sorted by name, so that equal objects give an equal table. */
  ofKind<K extends Kind>(kind: K): ResourceObject<K>[] {
    // Under each kind are resources of this kind only.
    return [...(this.#byKind.get(kind)?.values() ?? [])] as unknown as ResourceObject<K>[]
  }

  find<K extends Kind>(kind: K, name: string): ResourceObject<K> | undefined {
    // Under each kind are resources of this kind only.
    return this.#byKind.get(kind)?.get(name) as ResourceObject<K> | undefined
  }

  secret(name: string): SecretObject | undefined {
    return this.#secrets.get(name)
  }

  externalCredential(account: string): ExternalCredential | undefined {
    return this.#external.get(account)
  }

  unreadCredential(account: string): UnreadCredential | undefined {
    return this.#unread.credentials.find((it) => it.namespace === this.name && it.account === account)
  }

  /** Why `find` or `secret` has nothing, for a message. */
  absenceOf(kind: Kind | 'Secret', name: string): string {
    const refused = this.#unread.objects.some(
      (ref) => ref.kind === kind && ref.namespace === this.name && ref.name === name,
    )
    if (refused) return `${kind} ${name} is not valid`
    return kind === 'Secret'
      ? `Secret ${name} does not exist in namespace ${this.name}`
      : `${kind} ${name} does not exist`
  }
}

/** Namespaces with at least one object, sorted. */
export function namespacesOf(set: ResourceSet): string[] {
  return [...new Set(set.resources.map(({ metadata }) => metadata.namespace))].toSorted()
}

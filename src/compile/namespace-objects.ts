import type { Kind } from '#resources/kinds.ts'
import type { ExternalCredential, Resource, ResourceObject, ResourceSet, SecretObject } from '#resources/resource.ts'

/** The objects of one namespace, by kind and name; references never leave it. */
export class NamespaceObjects {
  readonly name: string
  readonly #resources: readonly Resource[]
  readonly #secrets: ReadonlyMap<string, SecretObject>
  readonly #external: ReadonlyMap<string, ExternalCredential>

  constructor(name: string, set: ResourceSet) {
    this.name = name
    this.#resources = set.resources
      .filter(({ metadata }) => metadata.namespace === name)
      .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
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
    // The filter compares the discriminant.
    return this.#resources.filter((resource) => resource.kind === kind) as unknown as ResourceObject<K>[]
  }

  find<K extends Kind>(kind: K, name: string): ResourceObject<K> | undefined {
    return this.ofKind(kind).find(({ metadata }) => metadata.name === name)
  }

  secret(name: string): SecretObject | undefined {
    return this.#secrets.get(name)
  }

  externalCredential(account: string): ExternalCredential | undefined {
    return this.#external.get(account)
  }
}

/** Namespaces with at least one object, sorted. */
export function namespacesOf(set: ResourceSet): string[] {
  return [...new Set(set.resources.map(({ metadata }) => metadata.namespace))].toSorted()
}

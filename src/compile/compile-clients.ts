import type { ResourceObject } from '#resources/resource.ts'
import type { Client, ClientCredential, ClientsSection } from '#table/routing-table.ts'
import type { Sha256 } from '#table/table-version.ts'
import type { NamespaceObjects } from './namespace-objects.ts'
import type { ProblemList } from './problem-list.ts'
import { findSecretValue } from './secret-value.ts'

type ClientObject = ResourceObject<'GatewayClient'>

/** Clients and the digests of their keys, over all namespaces: a key tells whose it is, so it must be of one client only. */
export class ClientsBuilder {
  readonly #digests: Record<string, ClientCredential> = {}
  readonly #clients: Record<string, Client> = {}
  readonly #sha256: Sha256
  readonly #problems: ProblemList

  constructor(sha256: Sha256, problems: ProblemList) {
    this.#sha256 = sha256
    this.#problems = problems
  }

  add(client: ClientObject, objects: NamespaceObjects): void {
    const { metadata, spec } = client
    const id = `${metadata.namespace}/${metadata.name}`
    const profile = spec.profileRef?.name
    if (profile !== undefined && profile !== 'default' && objects.find('RoutingProfile', profile) === undefined) {
      this.#problems.add(client, 'spec.profileRef.name', 'KP-CONF-207', objects.absenceOf('RoutingProfile', profile))
    }
    for (const [at, policy] of (spec.usagePolicyRefs ?? []).entries()) {
      if (objects.find('UsagePolicy', policy.name) !== undefined) continue
      const path = `spec.usagePolicyRefs[${at}].name`
      this.#problems.add(client, path, 'KP-CONF-207', objects.absenceOf('UsagePolicy', policy.name))
    }
    for (const at of spec.credentials.keys()) this.#addCredential(client, id, at, objects)
    this.#clients[id] = {
      tenant: metadata.namespace,
      name: metadata.name,
      displayName: spec.displayName ?? metadata.name,
      ...(profile === undefined ? {} : { profile }),
      profileOverride: spec.profileOverride,
      allowedModels: spec.allow.models ?? [],
      allowedTypes: spec.allow.requestTypes ?? [],
      safeMode: spec.safeMode,
      state: spec.state,
    }
  }

  #addCredential(client: ClientObject, id: string, at: number, objects: NamespaceObjects): void {
    const credential = client.spec.credentials[at]
    if (credential === undefined) return
    const digest = credential.sha256 ?? this.#secretDigest(client, at, objects)
    if (digest === undefined) return
    const other = this.#digests[digest]
    if (other !== undefined) {
      const owner = other.client === id ? `credential ${other.name} of this client` : `GatewayClient ${other.client}`
      this.#problems.add(client, `spec.credentials[${at}]`, 'KP-CONF-209', `the key belongs to ${owner} already`)
      return
    }
    this.#digests[digest] = {
      client: id,
      name: credential.name,
      ...(credential.expiresAt === undefined ? {} : { expiresAtMs: Date.parse(credential.expiresAt) }),
    }
  }

  #secretDigest(client: ClientObject, at: number, objects: NamespaceObjects): string | undefined {
    const reference = client.spec.credentials[at]?.secretKeyRef
    if (reference === undefined) return undefined
    const found = findSecretValue(reference, objects, 'Text')
    if ('value' in found) return this.#sha256(found.value)
    this.#problems.add(client, `spec.credentials[${at}].secretKeyRef`, 'KP-CONF-206', found.fault)
    return undefined
  }

  build(): ClientsSection {
    return { digests: this.#digests, clients: this.#clients }
  }
}

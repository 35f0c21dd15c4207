import { createHash } from 'node:crypto'
import { compile } from '#compile/compile.ts'
import { isKind } from '#resources/kinds.ts'
import type { Resource } from '#resources/resource.ts'
import type { KubeObject } from '../../../src/controller/kube/kube-object.ts'
import type { ObservedObject } from '../../../src/controller/sources/observed-objects.ts'
import { ObservedObjects } from '../../../src/controller/sources/observed-objects.ts'
import type { AccountHealth } from '../../../src/controller/status/account-health.ts'
import { type GatewayAck, objectKey } from '../../../src/controller/status/gateway-acks.ts'
import { objectHashes } from '../../../src/controller/status/object-hashes.ts'
import type { StatusFacts } from '../../../src/controller/status/status-facts.ts'

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
export const NOW_MS = Date.UTC(2026, 10, 21, 12, 0, 0)

export interface Manifest {
  readonly kind: string
  readonly name: string
  readonly spec: object
  readonly labels?: Readonly<Record<string, string>>
  readonly generation?: number
  readonly status?: object
}

function kubeObject({ kind, name, spec, labels = {}, generation = 1, status }: Manifest): KubeObject {
  return {
    apiVersion: 'korproxy.dev/v1alpha1',
    kind,
    metadata: { name, namespace: 'team', uid: `uid-${name}`, resourceVersion: '1', generation, labels },
    spec,
    ...(status && { status }),
  }
}

/** As a watch would show them, one after the other. */
export function observe(...manifests: readonly Manifest[]): readonly ObservedObject[] {
  const observed = new ObservedObjects()
  for (const manifest of manifests) {
    if (isKind(manifest.kind)) observed.apply(manifest.kind, [{ after: kubeObject(manifest) }])
  }
  return observed.all()
}

export interface Circumstances {
  readonly gateways?: readonly Partial<GatewayAck>[]
  /** Other tables that gateways run: version → the objects as they were. */
  readonly older?: Readonly<Record<string, readonly ObservedObject[]>>
  readonly ageMs?: number
  readonly health?: Readonly<Record<string, Partial<AccountHealth>>>
  readonly facts?: Partial<StatusFacts>
}

/** What a controller would know of these objects; gateways run the newest table unless they say otherwise. */
export function factsOf(objects: readonly ObservedObject[], circumstances: Circumstances = {}): StatusFacts {
  const { gateways = [{}], older = {}, ageMs = 60_000, health = {}, facts = {} } = circumstances
  const resources = validForms(objects)
  const secret = { namespace: 'team', name: 'key', labels: {}, uid: 'u', resourceVersion: '1', data: { apiKey: 'k' } }
  const compiled = compile(
    { resources, secrets: [secret], externalCredentials: [] },
    { defaultNamespace: 'team', sha256 },
  )
  const { table } = compiled
  const hashes = new Map([[table.version, objectHashes(table, resources, sha256)]])
  for (const [version, then] of Object.entries(older)) {
    const set = { resources: validForms(then), secrets: [secret], externalCredentials: [] }
    hashes.set(version, objectHashes(compile(set, { defaultNamespace: 'team', sha256 }).table, set.resources, sha256))
  }
  return {
    nowMs: NOW_MS,
    table,
    compileProblems: Map.groupBy(compiled.problems, ({ ref }) => objectKey(ref)),
    resources: new Map([['team', resources]]),
    programmed: {
      version: table.version,
      objectHashes: hashes,
      gateways: gateways.map((gateway, at) => ({
        name: `gw-${at}`,
        connected: true,
        version: table.version,
        result: 'ACK',
        diagnostics: [],
        ...gateway,
      })),
    },
    ageMs: () => ageMs,
    health: new Map(
      Object.entries(health).map(([account, seen]) => [
        `team/${account}`,
        { health: 'available', available: 0, rateLimited: 0, erroring: 0, ...seen },
      ]),
    ),
    clients: new Map(),
    policies: new Map(),
    phase: 'Settled',
    ...facts,
  }
}

function validForms(objects: readonly ObservedObject[]): Resource[] {
  return objects.flatMap(({ resource }) => (resource === undefined ? [] : [resource]))
}

import { isRecord } from '#resources/finding.ts'
import type { KubeObject } from './kube-object.ts'
import { microTimestampOf } from './time-and-chance.ts'

const ADDRESS = 'korproxy.dev/controller-address'
const WORD = 'korproxy.dev/controller-word'

/** What a Lease says. @see https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/lease-v1/ */
export interface LeaseRecord {
  /** Empty when it was given back. */
  readonly holder: string
  readonly address: string | undefined
  /** What the leader tells the other replicas. */
  readonly word: string | undefined
  readonly durationMs: number
  readonly transitions: number
  readonly resourceVersion: string
  readonly acquireTime: string | undefined
}

export interface LeaseContent {
  readonly namespace: string
  readonly name: string
  readonly holder: string
  readonly address?: string
  readonly word?: string
  readonly durationMs: number
  /** Unix time, milliseconds. */
  readonly nowMs: number
}

export function readLease({ metadata, ...object }: KubeObject): LeaseRecord {
  const spec = isRecord(object['spec']) ? object['spec'] : {}
  const { holderIdentity, leaseDurationSeconds, leaseTransitions, acquireTime } = spec
  return {
    holder: typeof holderIdentity === 'string' ? holderIdentity : '',
    address: metadata.annotations?.[ADDRESS],
    word: metadata.annotations?.[WORD],
    durationMs: typeof leaseDurationSeconds === 'number' ? leaseDurationSeconds * 1000 : 0,
    transitions: typeof leaseTransitions === 'number' ? leaseTransitions : 0,
    resourceVersion: metadata.resourceVersion,
    acquireTime: typeof acquireTime === 'string' ? acquireTime : undefined,
  }
}

/** A change of holder is a new term; giving back is none. */
export function leaseBody(content: LeaseContent, before: LeaseRecord | undefined): object {
  const { namespace, name, holder, address, word, durationMs, nowMs } = content
  const annotations = {
    ...(address !== undefined && { [ADDRESS]: address }),
    ...(word !== undefined && { [WORD]: word }),
  }
  const now = microTimestampOf(nowMs)
  const changes = before?.holder !== holder && holder !== ''
  const transitions = before === undefined ? 1 : before.transitions + (changes ? 1 : 0)
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      namespace,
      name,
      ...(before && { resourceVersion: before.resourceVersion }),
      ...(Object.keys(annotations).length > 0 && { annotations }),
    },
    spec: {
      holderIdentity: holder,
      leaseDurationSeconds: Math.round(durationMs / 1000),
      acquireTime: changes ? now : (before?.acquireTime ?? now),
      renewTime: now,
      leaseTransitions: transitions,
    },
  }
}

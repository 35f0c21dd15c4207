import { isRecord } from '#resources/finding.ts'
import type { Kind } from '#resources/kinds.ts'
import { parseResource } from '#resources/parse-resource.ts'
import type { ObjectReference, Problem, Resource } from '#resources/resource.ts'
import type { KubeObject } from '../kube/kube-object.ts'
import type { CacheChange } from '../kube/object-cache.ts'
import { isUrgent } from './urgent-change.ts'

/** One object of the cluster, valid or not. */
export interface ObservedObject {
  readonly kind: Kind
  readonly ref: ObjectReference
  readonly uid: string
  /** Of the form that the API server has now. */
  readonly generation: number
  /** As the API server has it. */
  readonly status: unknown
  /** What is wrong with the present form. */
  readonly problems: readonly Problem[]
  /** The last valid form, which may be of an older generation; absent when there was none. */
  readonly resource?: Resource
}

export interface ObservedChange {
  /** Whether anything changed that the compiler sees. */
  readonly changed: boolean
  readonly urgent: boolean
}

/** All objects of our kinds, each with its last valid form. */
export class ObservedObjects {
  readonly #objects = new Map<string, ObservedObject>()

  all(): readonly ObservedObject[] {
    return [...this.#objects.values()]
  }

  apply(kind: Kind, changes: readonly CacheChange[]): ObservedChange {
    let [changed, urgent] = [false, false]
    for (const { before, after } of changes) {
      const object = after ?? before
      if (object === undefined) continue
      const key = `${kind}/${object.metadata.namespace}/${object.metadata.name}`
      const known = this.#objects.get(key)
      if (after === undefined) this.#objects.delete(key)
      else this.#objects.set(key, observe(kind, after, known))
      if (before !== undefined && after !== undefined && isOnlyStatus(before, after)) continue
      changed = true
      urgent ||= isUrgent(known?.resource, this.#objects.get(key)?.resource)
    }
    return { changed, urgent }
  }
}

function observe(kind: Kind, object: KubeObject, known: ObservedObject | undefined): ObservedObject {
  const { uid, generation = 0, namespace = '', name } = object.metadata
  const same = known?.uid === uid ? known : undefined
  const result = parseResource(specified(object), { namespace })
  const last = 'resource' in result ? result.resource : same?.resource
  return {
    kind,
    ref: { kind, namespace, name },
    uid,
    generation,
    status: object['status'],
    problems: 'problems' in result ? result.problems : [],
    ...(last && { resource: last }),
  }
}

/** Status is ours, and no part of what people say. */
function specified({ status: _, ...object }: KubeObject): object {
  return object
}

/** Our own writing of status comes back as a change. Generation counts changes of the spec; labels select accounts. */
function isOnlyStatus({ metadata: before }: KubeObject, { metadata: after }: KubeObject): boolean {
  return before.uid === after.uid && before.generation === after.generation && isEqualText(before.labels, after.labels)
}

function isEqualText(a: unknown, b: unknown): boolean {
  const [before, after] = [isRecord(a) ? a : {}, isRecord(b) ? b : {}]
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...names].every((name) => before[name] === after[name])
}

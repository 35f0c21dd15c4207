import { type KubeObject, keyOfObject } from './kube-object.ts'

/** What happened to one object. */
export interface CacheChange {
  /** Absent when the object is gone. */
  readonly after?: KubeObject
  /** Absent when the object is new. */
  readonly before?: KubeObject
}

/** The objects of a collection as far as they are known. Versions are compared for equality only: their order means nothing here. */
export class ObjectCache {
  #objects = new Map<string, KubeObject>()
  /** Keys that changed since a comparison began; undefined while there is none. */
  #touched: Set<string> | undefined

  get objects(): ReadonlyMap<string, KubeObject> {
    return this.#objects
  }

  set(object: KubeObject): readonly CacheChange[] {
    const key = keyOfObject(object)
    const before = this.#objects.get(key)
    this.#touched?.add(key)
    this.#objects.set(key, object)
    return isSame(before, object) ? [] : [{ after: object, ...(before && { before }) }]
  }

  remove(object: KubeObject): readonly CacheChange[] {
    const key = keyOfObject(object)
    const before = this.#objects.get(key)
    this.#touched?.add(key)
    this.#objects.delete(key)
    return before === undefined ? [] : [{ before }]
  }

  /** Swaps the whole content; what is not in it any more is told as gone. */
  replace(items: readonly KubeObject[]): readonly CacheChange[] {
    const old = this.#objects
    this.#touched = undefined
    this.#objects = new Map(items.map((item) => [keyOfObject(item), item]))
    const gone = [...old.values()].filter((before) => !this.#objects.has(keyOfObject(before)))
    const changed = items.flatMap((after): CacheChange[] => {
      const before = old.get(keyOfObject(after))
      return isSame(before, after) ? [] : [{ after, ...(before && { before }) }]
    })
    return [...gone.map((before) => ({ before })), ...changed]
  }

  /** From now on it is noted what changes, until `endComparison`. */
  beginComparison(): void {
    this.#touched = new Set()
  }

  /** @returns how many objects differ from a list read since `beginComparison`, not counting those that changed meanwhile */
  endComparison(items: readonly KubeObject[]): number {
    const touched = this.#touched
    this.#touched = undefined
    if (touched === undefined) return 0
    const listed = new Map(items.map((item) => [keyOfObject(item), item]))
    const keys = new Set([...listed.keys(), ...this.#objects.keys()])
    return [...keys].filter((key) => !touched.has(key) && !isSame(this.#objects.get(key), listed.get(key))).length
  }
}

function isSame(a: KubeObject | undefined, b: KubeObject | undefined): boolean {
  return a?.metadata.uid === b?.metadata.uid && a?.metadata.resourceVersion === b?.metadata.resourceVersion
}

import { refusal } from '../../../src/controller/kube/api-error.ts'
import type { KubeObject } from '../../../src/controller/kube/kube-object.ts'

/** One Lease as an API server keeps it: versions rise, and an update must name the present one. */
export class FakeLease {
  #lease: KubeObject | undefined
  #version = 0
  /** Thrown instead of an answer, while set. */
  failure: Error | undefined

  get spec(): unknown {
    return this.#lease?.['spec']
  }

  async get(): Promise<KubeObject> {
    if (this.failure) throw this.failure
    if (this.#lease === undefined) throw refusal('get', 404, { reason: 'NotFound' })
    return this.#lease
  }

  async create(_: unknown, object: object): Promise<KubeObject> {
    if (this.failure) throw this.failure
    if (this.#lease !== undefined) throw refusal('create', 409, { reason: 'AlreadyExists' })
    return this.#store(object)
  }

  async update(_: unknown, object: object): Promise<KubeObject> {
    if (this.failure) throw this.failure
    // Tests write whole Leases.
    const version = (object as KubeObject).metadata.resourceVersion
    if (version !== this.#lease?.metadata.resourceVersion) throw refusal('update', 409, { reason: 'Conflict' })
    return this.#store(object)
  }

  #store(object: object): KubeObject {
    this.#version += 1
    const lease = structuredClone(object) as KubeObject
    this.#lease = { ...lease, metadata: { ...lease.metadata, uid: 'u', resourceVersion: String(this.#version) } }
    return this.#lease
  }
}

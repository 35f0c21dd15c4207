import { refusal } from '../../../src/controller/kube/api-error.ts'
import type { ApiAddress } from '../../../src/controller/kube/api-resource.ts'
import type { KubeObject } from '../../../src/controller/kube/kube-object.ts'

/** Objects as an API server keeps them: versions rise, an update must name the present one, apply merges. */
export class FakeObjects {
  readonly #objects = new Map<string, KubeObject>()
  #version = 0
  writes = 0

  /** Its `data`; of a Secret decoded. */
  read(kind: string, name: string): Record<string, string> | undefined {
    const data = this.#objects.get(`${kind}/${name}`)?.['data'] as Record<string, string> | undefined
    if (data === undefined || kind !== 'Secret') return data
    return Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('latin1')]),
    )
  }

  async get({ resource, name }: ApiAddress): Promise<KubeObject> {
    const found = this.#objects.get(`${resource.kind}/${name}`)
    if (found === undefined) throw refusal('get', 404, { reason: 'NotFound' })
    return structuredClone(found)
  }

  async create({ resource }: ApiAddress, object: object): Promise<KubeObject> {
    // Callers write whole objects.
    const { name } = (object as KubeObject).metadata
    if (this.#objects.has(`${resource.kind}/${name}`)) throw refusal('create', 409, { reason: 'AlreadyExists' })
    return this.#store(`${resource.kind}/${name}`, object as KubeObject)
  }

  async update({ resource, name }: ApiAddress, object: object): Promise<KubeObject> {
    const key = `${resource.kind}/${name}`
    const { resourceVersion } = (object as KubeObject).metadata
    if (this.#objects.get(key)?.metadata.resourceVersion !== resourceVersion)
      throw refusal('update', 409, { reason: 'Conflict' })
    return this.#store(key, object as KubeObject)
  }

  async apply({ resource, name }: ApiAddress, object: object): Promise<KubeObject> {
    const key = `${resource.kind}/${name}`
    return this.#store(key, { ...this.#objects.get(key), ...object } as KubeObject)
  }

  #store(key: string, object: KubeObject): KubeObject {
    this.#version += 1
    this.writes += 1
    const stored = structuredClone({
      ...object,
      metadata: { ...object.metadata, uid: key, resourceVersion: String(this.#version) },
    })
    this.#objects.set(key, stored)
    return stored
  }
}

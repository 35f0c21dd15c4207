import { createHash } from 'node:crypto'
import type { SecretObject } from '#resources/resource.ts'
import type { SecretManifest } from './parse-secret.ts'

/** Counts changes of values, as the API server does with resourceVersion: a version tells that something changed, and nothing of the value. */
export class VersionCounter {
  readonly #seen = new Map<string, { digest: string; version: number }>()

  /** @returns the version of this content under this name; another one after each change. */
  versionOf(name: string, content: unknown): string {
    const digest = createHash('sha256').update(JSON.stringify(content)).digest('hex')
    const before = this.#seen.get(name)
    const version = before === undefined ? 1 : before.version + (before.digest === digest ? 0 : 1)
    this.#seen.set(name, { digest, version })
    return String(version)
  }
}

export class SecretVersions {
  readonly #versions = new VersionCounter()

  versioned({ metadata, data, source }: SecretManifest): SecretObject {
    const { namespace, name, labels } = metadata
    const uid = `folder:${namespace}/${name}`
    return { namespace, name, labels, uid, resourceVersion: this.#versions.versionOf(uid, data), data, source }
  }
}

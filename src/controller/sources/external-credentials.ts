import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { ExternalCredential, Problem, Resource, ResourceObject, UnreadCredential } from '#resources/resource.ts'
import { referenceOf } from '#resources/resource.ts'
import { reasonOf } from './list-manifests.ts'
import { VersionCounter } from './secret-versions.ts'

const FIELD = 'spec.auth.valueFrom'

export interface ExternalCredentials {
  readonly values: readonly ExternalCredential[]
  readonly problems: readonly Problem[]
  /** Those that have no value, not even an older one. */
  readonly missing: readonly UnreadCredential[]
  /** Folders of the files that were read. */
  readonly folders: readonly string[]
}
type Found = { readonly value: string } | { readonly missing: string }

/** Reads the credentials that `auth.valueFrom` names. One that cannot be read keeps its last value; one that
 * has none is left out, and the compiler says why. Values are in no message. */
export class ExternalCredentialReader {
  readonly #environment: Readonly<Record<string, string | undefined>>
  readonly #versions = new VersionCounter()
  #last: ReadonlyMap<string, ExternalCredential> = new Map()

  constructor(environment: Readonly<Record<string, string | undefined>>) {
    this.#environment = environment
  }

  async read(resources: readonly Resource[]): Promise<ExternalCredentials> {
    const values = new Map<string, ExternalCredential>()
    const problems: Problem[] = []
    const unread: UnreadCredential[] = []
    const folders = new Set<string>()
    for (const resource of resources) {
      if (resource.kind !== 'ProviderAccount' || resource.spec.auth?.valueFrom === undefined) continue
      const { namespace, name } = resource.metadata
      const key = `${namespace}/${name}`
      const file = fileOf(resource)
      if (file !== undefined) folders.add(dirname(file))
      const found = await this.#find(resource, file)
      const credential = 'value' in found ? this.#credential(resource, found.value) : this.#last.get(key)
      if (credential !== undefined) values.set(key, credential)
      if (!('missing' in found)) continue
      if (credential === undefined) unread.push({ namespace, account: name, reason: found.missing })
      else problems.push(missing(resource, `${found.missing}; its last value stays in use`))
    }
    this.#last = values
    return { values: [...values.values()], problems, missing: unread, folders: [...folders] }
  }

  #credential({ metadata: { namespace, name } }: ResourceObject<'ProviderAccount'>, value: string): ExternalCredential {
    return { namespace, account: name, value, resourceVersion: this.#versions.versionOf(`${namespace}/${name}`, value) }
  }

  async #find({ spec }: ResourceObject<'ProviderAccount'>, file: string | undefined): Promise<Found> {
    if (file !== undefined) return readCredential(file)
    const name = spec.auth?.valueFrom?.env ?? ''
    const value = this.#environment[name]?.trim()
    if (value === undefined) return { missing: `environment variable ${name} is not set` }
    return value === '' ? { missing: `environment variable ${name} is empty` } : { value }
  }
}

async function readCredential(file: string): Promise<Found> {
  try {
    const value = (await readFile(file, 'utf8')).trim()
    return value === '' ? { missing: `file ${file} is empty` } : { value }
  } catch (cause) {
    return { missing: `file ${file} cannot be read: ${reasonOf(cause)}` }
  }
}

function fileOf({ spec, source }: ResourceObject<'ProviderAccount'>): string | undefined {
  const file = spec.auth?.valueFrom?.file
  return file === undefined ? undefined : resolve(dirname(source?.file ?? '.'), file)
}

function missing(resource: Resource, message: string): Problem {
  const position = resource.source?.locate(FIELD)
  return { ref: referenceOf(resource), path: FIELD, message, code: 'KP-CONF-206', ...(position && { position }) }
}

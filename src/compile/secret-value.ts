import type { ResourceObject, SecretObject } from '#resources/resource.ts'
import type { NamespaceObjects } from './namespace-objects.ts'
import type { ProblemList } from './problem-list.ts'

type AccountObject = ResourceObject<'ProviderAccount'>

/** A value of a Secret and the version of the object that it came from. */
export interface SecretValue {
  readonly value: string
  readonly version: string
}

/** The field of an account that names a key of a Secret. */
interface SecretUse {
  readonly account: AccountObject
  readonly path: string
  readonly reference: { readonly name: string; readonly key: string }
}

/** Undefined, with a problem (KP-CONF-206), where Secret or key is missing. */
export function readSecret(use: SecretUse, objects: NamespaceObjects, problems: ProblemList): SecretValue | undefined {
  const { name, key } = use.reference
  const secret: SecretObject | undefined = objects.secret(name)
  const value = secret?.data[key]?.trim()
  if (secret === undefined) {
    problems.add(use.account, use.path, 'KP-CONF-206', `Secret ${name} does not exist in namespace ${objects.name}`)
    return undefined
  }
  if (value === undefined || value === '') {
    problems.add(use.account, use.path, 'KP-CONF-206', `Secret ${name} has no key ${key}`)
    return undefined
  }
  return { value, version: `${secret.uid}:${secret.resourceVersion}` }
}

/** What stands outside of Kubernetes, in a variable or file. Undefined, with a problem (KP-CONF-206), where it is missing. */
export function readExternal(
  account: AccountObject,
  objects: NamespaceObjects,
  problems: ProblemList,
): SecretValue | undefined {
  const external = objects.externalCredential(account.metadata.name)
  if (external !== undefined) return { value: external.value, version: external.resourceVersion }
  const source = account.spec.auth?.valueFrom
  const place = source?.env === undefined ? `file ${source?.file ?? ''}` : `environment variable ${source.env}`
  problems.add(account, 'spec.auth.valueFrom', 'KP-CONF-206', `${place} is not set, empty, or not readable here`)
  return undefined
}

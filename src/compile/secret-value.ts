import type { ResourceObject } from '#resources/resource.ts'
import type { NamespaceObjects } from './namespace-objects.ts'
import type { ProblemList } from './problem-list.ts'

type AccountObject = ResourceObject<'ProviderAccount'>

/** A value of a Secret and the version of the object that it came from. */
export interface SecretValue {
  readonly value: string
  readonly version: string
}

/** A key or token travels in a header, a certificate does not. */
type Content = 'Text' | 'Certificates'

interface SecretReference {
  readonly name: string
  readonly key: string
}

/** The field of an account that names a key of a Secret. */
interface SecretUse {
  readonly account: AccountObject
  readonly path: string
  readonly reference: SecretReference
  readonly content: Content
}

/** Undefined, with a problem (KP-CONF-206), where there is no value, or none that can be used. */
export function readSecret(
  { account, path, reference, content }: SecretUse,
  objects: NamespaceObjects,
  problems: ProblemList,
): SecretValue | undefined {
  const found = findSecretValue(reference, objects, content)
  if ('value' in found) return found
  problems.add(account, path, 'KP-CONF-206', found.fault)
  return undefined
}

/** The value, or why there is none that can be used. */
export function findSecretValue(
  { name, key }: SecretReference,
  objects: NamespaceObjects,
  content: Content,
): SecretValue | { readonly fault: string } {
  const secret = objects.secret(name)
  if (secret === undefined) return { fault: objects.absenceOf('Secret', name) }
  const value = secret.data[key]?.trim()
  if (value === undefined || value === '') return { fault: `Secret ${name} has no key ${key}` }
  const fault = faultOf(value, content)
  if (fault !== undefined) return { fault: `key ${key} of Secret ${name} ${fault}` }
  return { value, version: `${secret.uid}:${secret.resourceVersion}` }
}

/** What stands outside of Kubernetes, in a variable or file. Undefined, with a problem (KP-CONF-206), where nothing can be used. */
export function readExternal(
  account: AccountObject,
  objects: NamespaceObjects,
  problems: ProblemList,
): SecretValue | undefined {
  const { name } = account.metadata
  const external = objects.externalCredential(name)
  const place = placeOf(account)
  const fault = external === undefined ? undefined : faultOf(external.value, 'Text')
  if (external !== undefined && fault === undefined) {
    return { value: external.value, version: external.resourceVersion }
  }
  const told = fault === undefined ? objects.unreadCredential(name)?.reason : `${place} ${fault}`
  const message = told ?? `${place} is not set, empty, or not readable here`
  problems.add(account, 'spec.auth.valueFrom', 'KP-CONF-206', message)
  return undefined
}

function placeOf({ spec }: AccountObject): string {
  const source = spec.auth?.valueFrom
  return source?.env === undefined ? `file ${source?.file ?? ''}` : `environment variable ${source.env}`
}

/** Written by exports in the place of a value. */
const PLACEHOLDER = '***REDACTED***'
/** @see https://www.rfc-editor.org/rfc/rfc6749#appendix-A for tokens; a header carries no more in a way that all agree on. */
const NOT_PRINTABLE = /[^\x20-\x7e]/

/** Why a value is of no use; undefined = nothing is wrong. Tells nothing of the value itself. */
function faultOf(value: string, content: Content): string | undefined {
  if (value === PLACEHOLDER) return 'is the placeholder of an export, not a value'
  const at = content === 'Text' ? value.search(NOT_PRINTABLE) : -1
  if (at === -1) return undefined
  return '\r\n'.includes(value.charAt(at))
    ? `has a line break behind character ${at}`
    : `has a character that is not visible ASCII, which no header can carry (character ${at + 1})`
}

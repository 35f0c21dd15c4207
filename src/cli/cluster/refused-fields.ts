import { causesOf, isLastingRefusal } from '#controller/kube/api-error.ts'
import type { KorProxyError } from '#errors/korproxy-error.ts'
import type { ErrorCode } from '#errors/registry.ts'
import { isErrorCode } from '../explain-code.ts'

/** What the API server has against one field of an object. */
export interface FieldFault {
  /** Empty: against the object as a whole. */
  readonly path: string
  readonly message: string
  readonly code: ErrorCode
}

/** Reads a refusal of the API server field by field; undefined when it is not about the object. */
export function faultsOf(error: KorProxyError): readonly FieldFault[] | undefined {
  const message = String(error.details['message'])
  if (/^namespaces ".*" not found$/.test(message)) {
    return [{ path: 'metadata.namespace', message, code: 'KP-CONF-207' }]
  }
  // What has no object to speak of, such as a kind that the server does not know, ends the whole check.
  if (error.status === 404 || !isLastingRefusal(error)) return undefined
  const typed = /^failed to create typed patch object \(.*\): \.?(.*?): (.*)$/s.exec(message)
  if (typed !== null) return [ofType(typed[1] ?? '', typed[2] ?? '')]
  const causes = causesOf(error).filter((cause) => !/some validation rules were not checked/.test(cause.message))
  if (causes.length === 0) return [faultOf('', message)]
  return causes.map((cause) => faultOf(cause.field, cause.message))
}

/** Server-side apply compares with the schema first. Items of lists are named by their keys, which files know no place of. */
function ofType(field: string, message: string): FieldFault {
  const path = field.replace(/\[[^\]0-9].*$/, '')
  if (message === 'field not declared in schema') return { path, message: 'no such field', code: 'KP-CONF-204' }
  return { path, message, code: 'KP-CONF-203' }
}

/** Admission policies bring their own codes. */
function faultOf(path: string, text: string): FieldFault {
  const message = text.replace(/^Invalid value: "?(?:array|object|null)"?: /, '').replace(/^.* denied request: /s, '')
  const [, code = '', rest = ''] = /^(KP-[A-Z]+-\d{3}): (.*)$/s.exec(message) ?? []
  if (isErrorCode(code)) return { path, message: rest, code }
  return { path, message, code: 'KP-CONF-203' }
}

import { isSendable } from '../header-line.ts'
import { UnsendableRequest } from './call-error.ts'
import type { ProviderCall } from './provider-call.ts'

const METHOD = /^[A-Z]+$/
const TARGET = /^[\x21-\x7e]+$/
const METHODS_WITHOUT_BODY: ReadonlySet<string> = new Set(['GET', 'HEAD'])

/**
 * @param host with its port, where that is not the scheme's own
 * @param target path and query; all of the URL for a proxy
 * @throws UnsendableRequest
 */
export function requestHead(host: string, target: string, { method, headers, body }: ProviderCall): string {
  if (!METHOD.test(method) || !TARGET.test(target)) throw new UnsendableRequest('its first line cannot be sent')
  let lines = ''
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] ?? ''
    const value = headers[at + 1] ?? ''
    if (!isSendable(name, value)) throw new UnsendableRequest(`header ${name} cannot be sent`)
    lines += `${name}: ${value}\r\n`
  }
  const bytes = body?.length ?? 0
  const length = bytes === 0 && METHODS_WITHOUT_BODY.has(method) ? '' : `content-length: ${bytes}\r\n`
  return `${method} ${target} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n${lines}${length}\r\n`
}

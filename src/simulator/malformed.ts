import { gzipSync } from 'node:zlib'
import type { Malformation } from './script.ts'
import type { Wire } from './wire.ts'

const LARGE_HEADER_BYTES = 17 * 1024
const HUGE_HEADER_BYTES = 1024 * 1024
const MANY_HEADERS = 3000
const LENGTH_ERROR = 10

const JSON_HEAD = 'content-type: application/json\r\nconnection: close\r\n'

/** Writes the body with a head or a framing that is wrong in one way, then closes. */
export async function playMalformed(kind: Malformation, wire: Wire, body: Uint8Array): Promise<void> {
  const { head, payload } = deform(kind, body)
  await wire.raw(Buffer.from(head, 'latin1'))
  await wire.raw(payload)
  wire.socket.end()
}

interface Deformed {
  readonly head: string
  readonly payload: Uint8Array
}

function deform(kind: Malformation, body: Uint8Array): Deformed {
  const sized = (extra: string, length: number | string = body.length) =>
    `HTTP/1.1 200 OK\r\n${JSON_HEAD}content-length: ${length}\r\n${extra}\r\n`
  switch (kind) {
    case 'status-line':
      return { head: `HTTP/1.1 abc Not A Number\r\n${JSON_HEAD}\r\n`, payload: body }
    case 'chunk-size':
      return { head: `HTTP/1.1 200 OK\r\n${JSON_HEAD}transfer-encoding: chunked\r\n\r\nzz\r\n`, payload: body }
    case 'content-length-short':
      return { head: sized('', Math.max(0, body.length - LENGTH_ERROR)), payload: body }
    case 'content-length-long':
      return { head: sized('', body.length + LENGTH_ERROR), payload: body }
    case 'content-length-negative':
      return { head: sized('', -1), payload: body }
    case 'double-content-length':
      return { head: sized(`content-length: ${body.length + 1}\r\n`), payload: body }
    case 'header-large':
      return { head: sized(`x-large: ${'x'.repeat(LARGE_HEADER_BYTES)}\r\n`), payload: body }
    case 'header-huge':
      return { head: sized(`x-huge: ${'x'.repeat(HUGE_HEADER_BYTES)}\r\n`), payload: body }
    case 'header-many':
      return {
        head: sized(Array.from({ length: MANY_HEADERS }, (_, index) => `x-many-${index}: 1\r\n`).join('')),
        payload: body,
      }
    default:
      return deformCoding(kind, body)
  }
}

/** Wrong encodings, and statuses that promise no body or another protocol. */
function deformCoding(kind: Malformation, body: Uint8Array): Deformed {
  const zipped = gzipSync(body)
  const withHead = (status: string, extra: string, length: number) =>
    `HTTP/1.1 ${status}\r\n${JSON_HEAD}content-length: ${length}\r\n${extra}\r\n`
  switch (kind) {
    case 'gzip-cut': {
      const cut = zipped.subarray(0, Math.floor(zipped.length / 2))
      return { head: withHead('200 OK', 'content-encoding: gzip\r\n', cut.length), payload: cut }
    }
    case 'encodings-stacked': {
      const stacked = Array.from({ length: 6 }).reduce<Uint8Array>((bytes) => gzipSync(bytes), body)
      const names = Array.from({ length: 6 }, () => 'gzip').join(', ')
      return { head: withHead('200 OK', `content-encoding: ${names}\r\n`, stacked.length), payload: stacked }
    }
    case 'informational': {
      const hints =
        'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>; rel=preload\r\n\r\n'
      return { head: hints + withHead('200 OK', '', body.length), payload: body }
    }
    case 'switching-protocols':
      return { head: 'HTTP/1.1 101 Switching Protocols\r\nupgrade: mock\r\nconnection: upgrade\r\n\r\n', payload: body }
    case 'no-content-with-body':
      return { head: withHead('204 No Content', '', body.length), payload: body }
    default:
      return { head: withHead('304 Not Modified', '', body.length), payload: body }
  }
}

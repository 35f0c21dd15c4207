import { isIPv6 } from 'node:net'

/**
 * The IPv4 address inside an IPv6 one, which is where its packets end up: mapped, NAT64 and 6to4 forms, and the deprecated `::a.b.c.d`.
 * @see https://www.rfc-editor.org/rfc/rfc4291#section-2.5.5
 * @see https://www.rfc-editor.org/rfc/rfc6052 NAT64
 * @see https://www.rfc-editor.org/rfc/rfc3056 6to4
 */
export function embeddedIpv4(address: string): string[] {
  if (!isIPv6(address)) return []
  const groups = expandGroups(address)
  const [first = 0, second = 0, third = 0, fourth = 0, fifth = 0, sixth = 0, seventh = 0, eighth = 0] = groups
  if (first === 0x2002) return [dotted(second, third)]
  const isNat64 = first === 0x64 && second === 0xff9b
  const isMapped = first + second + third + fourth === 0 && isMark(fifth, sixth)
  const isLoopback = first + second + third + fourth + fifth + sixth + seventh === 0 && eighth === 1
  return isNat64 || (isMapped && !isLoopback) ? [dotted(seventh, eighth)] : []
}

/** `::`, `::ffff:` and `::ffff:0:` before the IPv4 part. */
function isMark(fifth: number, sixth: number): boolean {
  return (fifth === 0 && (sixth === 0 || sixth === 0xffff)) || (fifth === 0xffff && sixth === 0)
}

/** The eight groups of an IPv6 address in any spelling: the URL parser gives the one with hexadecimal groups only. */
function expandGroups(address: string): number[] {
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const left = readGroups(head)
  if (tail === undefined) return left
  const right = readGroups(tail)
  return [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right]
}

function readGroups(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
}

function dotted(high: number, low: number): string {
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.')
}

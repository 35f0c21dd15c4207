/**
 * The few ASN.1 types that a certificate is made of, in the one way that DER writes them.
 * @see https://www.itu.int/rec/T-REC-X.690
 */

export function sequence(...items: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(items))
}

export function setOf(item: Buffer): Buffer {
  return tagged(0x31, item)
}

/** Unsigned, big-endian. */
export function integer(bytes: Buffer): Buffer {
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1
  const significant = bytes.subarray(start)
  // A leading bit of 1 would make it negative.
  const isNegative = ((significant[0] ?? 0) & 0x80) !== 0
  return tagged(0x02, isNegative ? Buffer.concat([Buffer.of(0), significant]) : significant)
}

export function boolean(): Buffer {
  return tagged(0x01, Buffer.of(0xff))
}

export function octets(content: Buffer): Buffer {
  return tagged(0x04, content)
}

/** Bits of whole bytes. */
export function bits(content: Buffer, unusedBits = 0): Buffer {
  return tagged(0x03, Buffer.concat([Buffer.of(unusedBits), content]))
}

export function utf8(text: string): Buffer {
  return tagged(0x0c, Buffer.from(text, 'utf8'))
}

/** e.g. `2.5.4.3`. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return tagged(0x06, Buffer.concat([first * 40 + second, ...rest].map(base128)))
}

/** @param unixMs Unix time, ms. @see https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.5 */
export function time(unixMs: number): Buffer {
  const text = `${new Date(unixMs).toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}Z`
  return Number(text.slice(0, 4)) < 2050 ? tagged(0x17, Buffer.from(text.slice(2))) : tagged(0x18, Buffer.from(text))
}

/** Context-specific; `Constructed` where the content is itself DER. */
export function context(number: number, form: 'Constructed' | 'Primitive', content: Buffer): Buffer {
  return tagged((form === 'Constructed' ? 0xa0 : 0x80) | number, content)
}

function tagged(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.of(tag), lengthOf(content.length), content])
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.of(length)
  const hex = length.toString(16)
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
  return Buffer.concat([Buffer.of(0x80 | bytes.length), bytes])
}

function base128(value: number): Buffer {
  const bytes = [value % 0x80]
  for (let rest = Math.floor(value / 0x80); rest > 0; rest = Math.floor(rest / 0x80))
    bytes.unshift((rest % 0x80) | 0x80)
  return Buffer.from(bytes)
}

import { z } from 'zod'
import { KorProxyError } from '#errors/korproxy-error.ts'

const DECIMAL = /^([0-9]{1,12})(\.([0-9]{1,9}))?$/

/** Money and large limits are decimal text: Kubernetes objects hold no floats, and no digit may get lost. */
export function decimal() {
  return z
    .string()
    .max(24)
    .regex(DECIMAL, 'must be a decimal number in quotes such as "0.30", "15" or "250.00"')
    .meta({ title: 'decimal' })
}

/** @returns the number times 10^`places`, exact. @throws KP-CONF-203 for text that is no decimal or has more digits than `places`. */
export function parseDecimal(text: string, places: number): bigint {
  const [, whole, , fraction = ''] = DECIMAL.exec(text) ?? []
  if (whole === undefined) throw new KorProxyError('KP-CONF-203', { message: `"${text}" is not a decimal number` })
  if (fraction.length > places) {
    throw new KorProxyError('KP-CONF-203', { message: `"${text}" has more than ${places} digits after the point` })
  }
  return BigInt(whole + fraction.padEnd(places, '0'))
}

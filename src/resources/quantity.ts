import { z } from 'zod'
import { KorProxyError } from '#errors/korproxy-error.ts'

/** @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
const QUANTITY = /^([1-9][0-9]{0,8})(k|Ki|M|Mi|G|Gi)?$/
const BYTES_OF_SUFFIX: Readonly<Record<string, number>> = {
  k: 1e3,
  Ki: 2 ** 10,
  M: 1e6,
  Mi: 2 ** 20,
  G: 1e9,
  Gi: 2 ** 30,
}

/** A size in bytes such as `20Mi`. */
export function byteQuantity() {
  return z.string().max(12).regex(QUANTITY, 'must be a size such as 512Ki, 20Mi or 1Gi').meta({ title: 'size' })
}

/** @returns bytes. @throws KP-CONF-203 for text that is no size. */
export function parseByteQuantity(text: string): number {
  const [, count, suffix] = QUANTITY.exec(text) ?? []
  if (count === undefined) throw new KorProxyError('KP-CONF-203', { message: `"${text}" is not a size` })
  return Number(count) * (suffix === undefined ? 1 : (BYTES_OF_SUFFIX[suffix] ?? 1))
}

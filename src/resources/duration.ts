import { z } from 'zod'
import { KorProxyError } from '#errors/korproxy-error.ts'

/** @see https://gateway-api.sigs.k8s.io/geps/gep-2257/ */
const DURATION = /^([0-9]{1,5}(h|m|s|ms)){1,4}$/
const PART = /([0-9]+)(ms|h|m|s)/g
const MS_OF_UNIT: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 }

/** Text such as `30s`, `5m` or `1h30m`. */
export function duration() {
  return z
    .string()
    .max(20)
    .regex(DURATION, 'must be a duration such as 500ms, 30s, 5m or 1h30m')
    .meta({ title: 'duration' })
}

/** @returns milliseconds. @throws KP-CONF-203 for text that is no duration. */
export function parseDuration(text: string): number {
  if (!DURATION.test(text)) throw new KorProxyError('KP-CONF-203', { message: `"${text}" is not a duration` })
  let total = 0
  for (const [, count = '0', unit = ''] of text.matchAll(PART)) total += Number(count) * (MS_OF_UNIT[unit] ?? 0)
  return total
}

import type { ReplyHeaders } from './provider.ts'

export function headerText(headers: ReplyHeaders, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : value?.[0]
}

/** `retry-after-ms`, `retry-after` in seconds or as an HTTP date; milliseconds from now. */
export function readRetryAfter(headers: ReplyHeaders, nowMs: number): number | undefined {
  const exact = headerText(headers, 'retry-after-ms') ?? headerText(headers, 'x-ms-retry-after-ms')
  if (exact !== undefined && /^\d+(?:\.\d+)?$/.test(exact)) return Math.ceil(Number(exact))
  const text = headerText(headers, 'retry-after')?.trim()
  if (text === undefined || text === '') return undefined
  if (/^\d+(?:\.\d+)?$/.test(text)) return Math.ceil(Number(text) * 1000)
  // Date.parse takes almost anything for a date; an HTTP date begins with the day of the week.
  const dateMs = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(dateMs) ? readGoDuration(text) : Math.max(0, dateMs - nowMs)
}

const UNIT_MS: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
  µs: 1e-3,
  us: 1e-3,
  ns: 1e-6,
}

/** A duration as Go writes it (`6m0s`, `20ms`, `1.5s`), milliseconds. */
export function readGoDuration(text: string | undefined): number | undefined {
  if (text === undefined || !/^(?:\d+(?:\.\d+)?(?:[mµun]s|[dhms]))+$/.test(text)) return undefined
  let sum = 0
  for (const [, amount = '0', unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)([mµun]s|[dhms])/g)) {
    sum += Number(amount) * (UNIT_MS[unit] ?? 0)
  }
  return Math.ceil(sum)
}

/** A wait that stands in a sentence: `Please try again in 7m12s.`, `Please retry in 37.5s`; milliseconds. */
export function readSpokenWait(message: string): number | undefined {
  const [, text] = /\b(?:try again|retry) in (\d[\dhms.]*?)\.?(?:\s|$)/i.exec(message) ?? []
  return readGoDuration(text)
}

const DIGITS = 12
const PICO = 10 ** DIGITS

/** pico-USD as decimal text without rounding or exponent, e.g. `0.00105`. Never negative; above 2^53 it takes a bigint. */
export function decimalUsd(picoUsd: number | bigint): string {
  if (typeof picoUsd === 'bigint') return withPoint(String(picoUsd / BigInt(PICO)), String(picoUsd % BigInt(PICO)))
  const whole = Math.floor(picoUsd / PICO)
  return withPoint(String(whole), String(picoUsd - whole * PICO))
}

function withPoint(whole: string, rest: string): string {
  if (rest === '0') return whole
  const fraction = rest.padStart(DIGITS, '0')
  let end = DIGITS
  while (fraction.charCodeAt(end - 1) === 0x30) end -= 1
  return `${whole}.${fraction.slice(0, end)}`
}

/** pico-USD as decimal text without rounding or exponent, e.g. `0.00105`. Never negative. */
export function decimalUsd(picoUsd: number | bigint): string {
  const digits = BigInt(picoUsd).toString().padStart(13, '0')
  const fraction = digits.slice(-12).replace(/0+$/, '')
  return digits.slice(0, -12) + (fraction === '' ? '' : `.${fraction}`)
}

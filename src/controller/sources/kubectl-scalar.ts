/**
 * What kubectl makes of an unquoted YAML value. It reads neither YAML 1.1 nor 1.2 to the letter but as go-yaml v2 does:
 * `On`, `yes`, `y` are booleans, `012` is octal, `1_000` a number; dates and `12:30:00` stay text.
 * @see https://github.com/yaml/go-yaml/blob/v2.4.3/resolve.go
 */
const WORDS: ReadonlyMap<string, boolean | number | null> = new Map<string, boolean | number | null>([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((word) => [word, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((word) => [word, false] as const),
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((word) => [word, Number.POSITIVE_INFINITY] as const),
  ...['-.inf', '-.Inf', '-.INF'].map((word) => [word, Number.NEGATIVE_INFINITY] as const),
  ...['.nan', '.NaN', '.NAN'].map((word) => [word, Number.NaN] as const),
])

const INTEGER = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/
const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/
const FLOAT_WITH_POINT_FIRST = /^\.[0-9]+(_[0-9]+)*([eE][-+]?[0-9]+)?$/
const INT64_MIN = -(2n ** 63n)
const UINT64_MAX = 2n ** 64n - 1n

export type Scalar = string | number | boolean | null

/** Infinities and NaN, which kubectl refuses, come as such. */
export function kubectlScalar(text: string): Scalar {
  const word = WORDS.get(text)
  if (word !== undefined) return word
  if (text.startsWith('.')) return FLOAT_WITH_POINT_FIRST.test(text) ? Number(text.replaceAll('_', '')) : text
  if (!/^[-+0-9]/.test(text)) return text
  const plain = text.replaceAll('_', '')
  const integer = integerOf(plain)
  if (integer !== undefined) return integer
  const float = FLOAT.test(plain) ? Number(plain) : Number.NaN
  return Number.isFinite(float) ? float : text
}

function integerOf(plain: string): number | undefined {
  const [, sign, hex, binary, octal, decimal] = INTEGER.exec(plain) ?? []
  if (sign === undefined) return undefined
  const magnitude = BigInt(prefixed(hex, '0x') ?? prefixed(binary, '0b') ?? prefixed(octal, '0o') ?? decimal ?? '0')
  const value = sign === '-' ? -magnitude : magnitude
  const largest = sign === '' ? UINT64_MAX : -INT64_MIN - 1n
  return value < INT64_MIN || value > largest ? undefined : Number(value)
}

function prefixed(digits: string | undefined, prefix: string): string | undefined {
  return digits === undefined ? undefined : prefix + digits
}

/**
 * What the core schema of YAML 1.2, and so most editors and tools, make of it.
 * @see https://yaml.org/spec/1.2.2/#103-core-schema
 */
export function coreScalar(text: string): Scalar {
  if (/^(~|null|Null|NULL)?$/.test(text)) return null
  if (/^(true|True|TRUE)$/.test(text)) return true
  if (/^(false|False|FALSE)$/.test(text)) return false
  if (/^0o[0-7]+$/.test(text) || /^0x[0-9a-fA-F]+$/.test(text)) return Number(text)
  return /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/.test(text) ? Number(text) : text
}

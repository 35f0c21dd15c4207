import type { Dialect } from './operation.ts'

/** The credential a request carries, where this dialect looks for it. */
export function credentialOf(
  dialect: Dialect,
  headers: Readonly<Record<string, string>>,
  query: URLSearchParams,
): string | undefined {
  const bearer = /^bearer +(\S+)$/i.exec(headers['authorization'] ?? '')?.[1]
  switch (dialect) {
    case 'anthropic':
      return headers['x-api-key'] ?? bearer
    case 'gemini':
      return headers['x-goog-api-key'] ?? query.get('key') ?? bearer
    case 'azure':
      return headers['api-key'] ?? bearer
    default:
      return bearer
  }
}

/** Shows which key it is without showing it: short keys of tests stay readable, real ones do not. */
export function maskKey(key: string): string {
  return key.length <= 16 ? key : `${key.slice(0, 6)}…${key.slice(-4)}`
}

export function isBadKey(key: string): boolean {
  return /^(sk-ant-|sk-)?bad/i.test(key)
}

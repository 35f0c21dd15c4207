import { AUTHENTICATION_ERRORS } from './authentication-errors.ts'
import { CONFIGURATION_ERRORS } from './configuration-errors.ts'
import { LIMIT_ERRORS } from './limit-errors.ts'
import { NETWORK_ERRORS } from './network-errors.ts'
import { PROVIDER_ERRORS } from './provider-errors.ts'
import { SYSTEM_ERRORS } from './system-errors.ts'

/**
 * Every error KorProxy can show, as data, a file an area. The docs pages, `korproxy explain` and the renderers of the formats
 * are made from it.
 * Ranges: AUTH 001-099, PROV 100-199, CONF 200-299, NET 300-399, RATE 400-499, SYS 500-599.
 */
export const ERRORS = {
  ...AUTHENTICATION_ERRORS,
  ...PROVIDER_ERRORS,
  ...CONFIGURATION_ERRORS,
  ...NETWORK_ERRORS,
  ...LIMIT_ERRORS,
  ...SYSTEM_ERRORS,
} as const

export type ErrorCode = keyof typeof ERRORS

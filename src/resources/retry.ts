/**
 * What may be worth another attempt: a limit or lack of capacity (429, 503, 529), a server error, no connection, a time-out, a connection that broke.
 */
export const RETRY_CONDITIONS = ['RateLimited', 'ServerError', 'ConnectError', 'Timeout', 'Reset'] as const

import type { AttemptFailure } from '../upstream/attempt-result.ts'

/** A provider that repeats the key it refused must not tell the client or the log. */
export function withoutSecret(failure: AttemptFailure, secret: string | undefined): AttemptFailure {
  if (secret === undefined || secret === '') return failure
  const { message, providerCode, fault, ...rest } = failure
  return {
    ...rest,
    message: message.replaceAll(secret, '[redacted]'),
    providerCode: providerCode?.replaceAll(secret, '[redacted]'),
    ...(fault !== undefined && !Object.values(fault).join(' ').includes(secret) && { fault }),
  }
}

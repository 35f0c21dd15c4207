/** An error as it may stand in a log line: nothing but these fields, whatever hangs on the object. */
export interface LoggedError {
  readonly type: string
  readonly message: string
  readonly code?: string
  readonly stack?: string
  readonly cause?: LoggedError
}

const MAX_CAUSES = 4

/** Credentials that libraries repeat in their messages: authorisation headers, keys in a query, keys by their usual prefixes. */
const CREDENTIALS =
  /\b(?:Bearer|Basic)\s+[\w.~+/=-]+|(?<=[?&](?:key|api[-_]key|access_token|token)=)[^&\s"']+|\b(?:sk|kp|kpm|gsk|xai)-[\w-]{8,}|\bAIza[\w-]{20,}/gi

export function logError(error: unknown): LoggedError {
  return describe(error, MAX_CAUSES)
}

function describe(error: unknown, causesLeft: number): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error, message: withoutCredentials(String(error)) }
  const code = 'code' in error && ['string', 'number'].includes(typeof error.code) ? String(error.code) : undefined
  const stack = ownFrames(error.stack ?? '')
  return {
    type: error.name,
    message: withoutCredentials(error.message),
    ...(code === undefined ? {} : { code }),
    ...(stack === '' ? {} : { stack }),
    ...(error.cause === undefined || causesLeft === 0 ? {} : { cause: describe(error.cause, causesLeft - 1) }),
  }
}

/** Frames without those inside Node; the message is a field of its own. */
function ownFrames(stack: string): string {
  return stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line) && !line.includes('node:internal'))
    .map((line) => line.trim())
    .join('\n')
}

function withoutCredentials(text: string): string {
  return text.replace(CREDENTIALS, '[redacted]')
}

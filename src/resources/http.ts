import { z } from 'zod'
import { withRules } from './rule.ts'

const PORT = '6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3}'
const HOST = '[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\\[[0-9A-Fa-f:.]+\\]'
const URL_PATTERN = new RegExp(`^https?://(${HOST})(:(${PORT}))?(/[A-Za-z0-9._~!$&'()*+,;=:@/-]*)?$`)

/** An absolute http(s) address without user, query and fragment: credentials have no place in it. */
export function httpURL() {
  return z
    .string()
    .max(512)
    .regex(URL_PATTERN, 'must be an absolute http or https URL without user, query and fragment')
    .meta({ title: 'URL' })
}

/** @see https://www.rfc-editor.org/rfc/rfc9110#name-tokens */
export function headerName() {
  return z
    .string()
    .min(1)
    .max(64)
    .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'must be an HTTP header name')
}

/** Headers that carry credentials, frame the message or belong to the connection: configuration may neither set nor pass them on. */
const RESERVED_HEADERS = [
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'cookie',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-api-key',
  'x-goog-api-key',
] as const
const RESERVED: ReadonlySet<string> = new Set(RESERVED_HEADERS)

/** A header, lower case, that configuration may add to requests or let pass to providers. */
export function extraHeaderName() {
  return withRules(
    z
      .string()
      .min(1)
      .max(64)
      .regex(/^[a-z0-9][a-z0-9_-]*$/, 'must be a header name in lower case'),
    [
      {
        message:
          'must not carry a credential, frame the message, belong to the connection, or start with x-korproxy-, x-forwarded-, sec-',
        cel: `!(self in [${RESERVED_HEADERS.map((name) => `'${name}'`).join(', ')}]) && !self.startsWith('x-korproxy-') && !self.startsWith('x-forwarded-') && !self.startsWith('sec-')`,
        holds: (name) =>
          !RESERVED.has(name) && !['x-korproxy-', 'x-forwarded-', 'sec-'].some((prefix) => name.startsWith(prefix)),
      },
    ],
  )
}

/** A header with a fixed value; printable ASCII, so that no line break gets in. */
export function extraHeader() {
  return z.strictObject({
    name: extraHeaderName().describe('Header name, lower case.'),
    value: z
      .string()
      .max(1024)
      .regex(/^[ -~]*$/, 'must be printable ASCII')
      .describe('Header value. Not a place for credentials.'),
  })
}

import { z } from 'zod'
import { duration } from './duration.ts'
import { extraHeader, httpURL } from './http.ts'
import { mapOf, setOf } from './list.ts'
import { secretKeyReference } from './reference.ts'
import { withRules } from './rule.ts'

/** Where a standalone gateway finds a credential outside of manifests. */
function valueFrom() {
  return withRules(
    z.strictObject({
      env: z
        .string()
        .max(128)
        .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable')
        .optional()
        .describe('Environment variable that holds the credential.'),
      file: z
        .string()
        .min(1)
        .max(1024)
        .optional()
        .describe('File that holds the credential, relative to the manifest; white space at the end is cut off.'),
    }),
    [
      {
        message: 'set exactly one of env, file',
        cel: 'has(self.env) != has(self.file)',
        holds: ({ env, file }) => (env === undefined) !== (file === undefined),
      },
    ],
  )
}

/** @see https://www.rfc-editor.org/rfc/rfc6749#section-6 */
function oauth2() {
  return z.strictObject({
    tokenURL: httpURL().describe('Token endpoint.'),
    clientID: z.string().min(1).max(256).describe('OAuth client.'),
    clientSecretRef: secretKeyReference('clientSecret')
      .optional()
      .describe('Client secret, for clients that have one.'),
    refreshTokenRef: secretKeyReference('refreshToken').describe(
      'Refresh token. A rotated token is written back to this Secret.',
    ),
    scopes: setOf(z.string().min(1).max(256), 32)
      .optional()
      .describe('Scopes to ask for. Absent: those of the refresh token.'),
    clientAuthentication: z
      .enum(['Basic', 'Post', 'None'])
      .default('Post')
      .describe('How the client proves itself: Basic header, fields of the body, or client id only.'),
    bodyFormat: z.enum(['Form', 'JSON']).default('Form').describe('Format of the request to the token endpoint.'),
    extraHeaders: mapOf(extraHeader(), 'name', 8)
      .optional()
      .describe('Headers added to requests to the token endpoint.'),
    refreshLead: duration()
      .optional()
      .describe(
        'The access token is refreshed this long before it expires. Absent: 5 minutes or a tenth of its life, whichever is longer.',
      ),
  })
}

/** The credential of an account. */
export function accountAuth() {
  return withRules(
    z.strictObject({
      type: z.enum(['APIKey', 'OAuth2', 'None']).default('APIKey').describe('Kind of credential.'),
      secretKeyRef: secretKeyReference('apiKey').optional().describe('Secret that holds the API key.'),
      valueFrom: valueFrom()
        .optional()
        .describe(
          'API key from an environment variable or a file. Only for a gateway that runs from a folder; a cluster refuses it.',
        ),
      oauth2: oauth2().optional().describe('Refresh token and how to use it.'),
    }),
    [
      {
        message: 'APIKey needs exactly one of secretKeyRef, valueFrom',
        cel: "(has(self.type) && self.type != 'APIKey') || has(self.secretKeyRef) != has(self.valueFrom)",
        holds: ({ type, secretKeyRef, valueFrom: value }) =>
          type !== 'APIKey' || (secretKeyRef === undefined) !== (value === undefined),
      },
      {
        message: 'oauth2 is required for OAuth2 and only allowed there',
        cel: "(has(self.type) && self.type == 'OAuth2') == has(self.oauth2)",
        holds: ({ type, oauth2: settings }) => (type === 'OAuth2') === (settings !== undefined),
      },
      {
        message: 'secretKeyRef and valueFrom are only for APIKey',
        cel: "!has(self.type) || self.type == 'APIKey' || (!has(self.secretKeyRef) && !has(self.valueFrom))",
        holds: ({ type, secretKeyRef, valueFrom: value }) =>
          type === 'APIKey' || (secretKeyRef === undefined && value === undefined),
      },
    ],
  )
}

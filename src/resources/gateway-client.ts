import { z } from 'zod'
import { AGE, type KindDefinition, READY } from './kind-definition.ts'
import { mapOf, setOf } from './list.ts'
import { displayName, itemName, modelGlob, requestType } from './name.ts'
import { objectReference, secretKeyReference } from './reference.ts'
import { withRules } from './rule.ts'
import { baseStatus, timestamp } from './status.ts'

const credential = withRules(
  z.strictObject({
    name: itemName().describe('Name of the credential, e.g. `current`.'),
    secretKeyRef: secretKeyReference('apiKey').optional().describe('Secret that holds the key.'),
    sha256: z
      .string()
      .max(64)
      .regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits')
      .optional()
      .describe('SHA-256 of the key, in lower-case hex: the key itself is then stored nowhere.'),
    expiresAt: timestamp().optional().describe('The key is refused from this time on. Absent: never.'),
  }),
  [
    {
      message: 'set exactly one of secretKeyRef, sha256',
      cel: 'has(self.secretKeyRef) != has(self.sha256)',
      holds: ({ secretKeyRef, sha256 }) => (secretKeyRef === undefined) !== (sha256 === undefined),
    },
  ],
)

const spec = z.strictObject({
  displayName: displayName().optional(),
  description: z.string().max(512).optional().describe('Who or what the client is.'),
  credentials: mapOf(credential, 'name', 8)
    .min(1)
    .describe('Keys of this client. Two at once allow a change of keys without a gap.'),
  profileRef: objectReference('RoutingProfile')
    .optional()
    .describe('Profile for all requests of this client, instead of the active one.'),
  profileOverride: z
    .enum(['Deny', 'Allow'])
    .default('Deny')
    .describe(
      'Allow lets the client choose profile and request type with `X-KorProxy-Profile` and `X-KorProxy-Request-Type`.',
    ),
  allow: z
    .strictObject({
      models: setOf(modelGlob(), 64).optional().describe('Globs of models it may use. Absent or empty: all.'),
      requestTypes: setOf(requestType(), 4).optional().describe('Types of request it may send. Absent or empty: all.'),
    })
    .prefault({})
    .describe('What the client may do.'),
  usagePolicyRefs: mapOf(objectReference('UsagePolicy'), 'name', 8)
    .optional()
    .describe('Limits and budgets of this client. Absent: defaultUsagePolicyRefs of the GatewayConfig.'),
  safeMode: z
    .enum(['Inherit', 'Enabled', 'Disabled'])
    .default('Inherit')
    .describe(
      'Whether requests go to the safe-mode target of the GatewayConfig; Inherit does as the GatewayConfig says.',
    ),
  state: z
    .enum(['Active', 'Suspended', 'Revoked'])
    .default('Active')
    .describe('Suspended and Revoked refuse every request; Revoked is meant to stay.'),
})

const status = z.strictObject({
  ...baseStatus,
  lastUsedTime: timestamp().optional().describe('When the client was last seen.'),
  limitsExceeded: setOf(itemName(), 16).optional().describe('Limits that are used up now.'),
  safeMode: z.enum(['Disabled', 'Enabled']).optional().describe('Whether its requests go to the safe-mode target now.'),
})

export const gatewayClient = {
  kind: 'GatewayClient',
  plural: 'gatewayclients',
  shortName: 'gwclient',
  description: 'A caller of the gateway: its keys, what it may use and which usage policies bind it.',
  spec,
  status,
  columns: [
    { name: 'Profile', type: 'string', jsonPath: '.spec.profileRef.name' },
    { name: 'State', type: 'string', jsonPath: '.spec.state' },
    { name: 'Safe-Mode', type: 'string', jsonPath: '.spec.safeMode' },
    { name: 'Last-Used', type: 'date', jsonPath: '.status.lastUsedTime' },
    { name: 'Exceeded', type: 'string', jsonPath: '.status.limitsExceeded', priority: 1 },
    READY,
    AGE,
  ],
  selectableFields: ['.spec.state'],
} as const satisfies KindDefinition

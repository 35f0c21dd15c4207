import { z } from 'zod'
import { duration } from './duration.ts'
import { extraHeaderName } from './http.ts'
import { AGE, GATEWAYS, type KindDefinition, READY } from './kind-definition.ts'
import { mapOf, setOf, textMap } from './list.ts'
import { modelName, objectName } from './name.ts'
import { byteQuantity } from './quantity.ts'
import { objectReference } from './reference.ts'
import { withRules } from './rule.ts'
import { baseStatus, timestamp } from './status.ts'

const safeMode = withRules(
  z.strictObject({
    state: z
      .enum(['Disabled', 'Enabled'])
      .default('Disabled')
      .describe('Enabled sends every request to the target below.'),
    providerGroupRef: objectReference('ProviderGroup').optional().describe('Where requests go in safe mode.'),
    model: modelName().optional().describe('Model to ask for in safe mode. Absent: the one of the request.'),
    reason: z.string().max(256).optional().describe('Why it is switched on, for people.'),
  }),
  [
    {
      message: 'providerGroupRef is required while safeMode is Enabled',
      cel: "!has(self.state) || self.state == 'Disabled' || has(self.providerGroupRef)",
      field: 'providerGroupRef',
      holds: ({ state, providerGroupRef }) => state === 'Disabled' || providerGroupRef !== undefined,
    },
  ],
)
  .prefault({})
  .describe('One modest target for everything, for incidents and overspent budgets.')

const rollout = z
  .strictObject({
    strategy: z
      .enum(['AllAtOnce', 'Canary'])
      .default('AllAtOnce')
      .describe('Canary gives a new table to a few gateways first and to the rest when they do well.'),
    canary: z
      .strictObject({
        gateways: z.int32().min(1).max(100).default(1).describe('Gateways that go first.'),
        observe: duration().default('30s').describe('How long they are watched.'),
      })
      .prefault({})
      .describe('Only for Canary.'),
  })
  .prefault({})
  .describe('How a change reaches the gateways.')

const spec = z.strictObject({
  activeProfileRef: objectReference('RoutingProfile')
    .optional()
    .describe('The active profile. Absent: the one named `default`, else the only one.'),
  modelCatalogRefs: mapOf(objectReference('ModelCatalog'), 'name', 8)
    .optional()
    .describe('Catalogues over the built-in one; the later wins.'),
  safeMode,
  clientAuth: z
    .strictObject({
      mode: z
        .enum(['Required', 'Optional', 'Disabled'])
        .default('Required')
        .describe('Whether requests need a key of a GatewayClient. Optional: a key that is sent must be valid.'),
    })
    .prefault({})
    .describe('Who may call.'),
  defaultUsagePolicyRefs: mapOf(objectReference('UsagePolicy'), 'name', 8)
    .optional()
    .describe('Limits of clients that name none of their own.'),
  featureFlags: textMap(z.enum(['Enabled', 'Disabled']), 32)
    .optional()
    .describe('Switches by name, e.g. `ANALYTICS_ENABLED: Disabled`. Absent flags have their built-in value.'),
  requestLimits: z
    .strictObject({
      maxBodySize: byteQuantity()
        .default('32Mi')
        .describe('Largest request body; the default is what Anthropic takes.'),
      maxDepth: z.int32().min(1).max(1000).default(64).describe('Deepest nesting of a JSON body.'),
    })
    .prefault({})
    .describe('What a request may be.'),
  headers: z
    .strictObject({
      requestAllow: setOf(extraHeaderName(), 32)
        .optional()
        .describe('Request headers that pass to providers besides the built-in list, lower case.'),
    })
    .prefault({})
    .describe('Which headers pass.'),
  rollout,
  logging: z
    .strictObject({
      level: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('Least level that is logged.'),
    })
    .prefault({})
    .describe('Logs of the gateways.'),
  history: z
    .strictObject({
      metricsRetention: duration().default('168h').describe('How long history is kept.'),
      requests: z.int32().min(0).max(10_000).default(500).describe('Last requests kept for inspection.'),
    })
    .prefault({})
    .describe('What the console remembers.'),
})

const status = z.strictObject({
  ...baseStatus,
  activeProfile: z.string().max(253).optional().describe('The profile in use.'),
  safeMode: z.enum(['Disabled', 'Enabled']).optional().describe('Whether safe mode is on.'),
  gateways: mapOf(
    z.strictObject({
      name: objectName().describe('Pod.'),
      configVersion: z.string().max(71).optional().describe('Version of its table.'),
      state: z
        .enum(['Programmed', 'Lagging', 'Rejected', 'Disconnected'])
        .describe('Whether it runs the newest table.'),
      lastAckTime: timestamp().optional().describe('When it last acknowledged a table.'),
      message: z.string().max(1024).optional().describe('Why it refused the newest table.'),
    }),
    'name',
    256,
  )
    .optional()
    .describe('The gateways, one by one.'),
})

export const gatewayConfig = {
  kind: 'GatewayConfig',
  plural: 'gatewayconfigs',
  shortName: 'kpgw',
  description:
    'Switches of a namespace: the active profile, safe mode, client authentication, feature flags, roll-out. The one named `default` counts, or the only one.',
  spec,
  status,
  columns: [
    { name: 'Profile', type: 'string', jsonPath: '.spec.activeProfileRef.name' },
    { name: 'Safe-Mode', type: 'string', jsonPath: '.status.safeMode' },
    GATEWAYS,
    { name: 'Version', type: 'string', jsonPath: '.status.configVersion', priority: 1 },
    READY,
    AGE,
  ],
  selectableFields: [],
} as const satisfies KindDefinition

import { z } from 'zod'
import { duration } from './duration.ts'
import { headerName } from './http.ts'
import { AGE, GATEWAYS, type KindDefinition, READY, REASON } from './kind-definition.ts'
import { mapOf, setOf } from './list.ts'
import { displayName, itemName, modelGlob, modelName, objectName, requestType } from './name.ts'
import { objectReference } from './reference.ts'
import { RETRY_CONDITIONS } from './retry.ts'
import { withRules } from './rule.ts'
import { baseStatus, count } from './status.ts'

const headerMatch = withRules(
  z.strictObject({
    name: headerName().describe('Header name; case does not matter.'),
    type: z
      .enum(['Exact', 'Prefix', 'Glob', 'Present'])
      .default('Exact')
      .describe(
        'How the value is compared; `*` in a Glob stands for any run of characters; Present asks for any value.',
      ),
    value: z.string().min(1).max(256).optional().describe('Value to compare with; none for Present.'),
  }),
  [
    {
      message: 'value is required unless type is Present',
      cel: "(has(self.type) && self.type == 'Present') != has(self.value)",
      field: 'value',
      holds: ({ type, value }) => (type === 'Present') !== (value !== undefined),
    },
  ],
)

const match = z
  .strictObject({
    requestTypes: setOf(requestType(), 4).optional().describe('Types of request.'),
    models: setOf(modelGlob(), 64).optional().describe('Globs of the model that the client asks for.'),
    modelFamilies: setOf(itemName(), 16).optional().describe('Families of a ModelCatalog or of the built-in one.'),
    clients: setOf(objectName(), 64).optional().describe('Names of GatewayClients.'),
    headers: mapOf(headerMatch, 'name', 8).optional().describe('Request headers; all of them must match.'),
  })
  .prefault({})
  .describe(
    'Which requests the rule is for. A field left out matches all; all given fields must match; within a list one is enough.',
  )

const target = z.strictObject({
  name: objectName().describe('Name of a ProviderGroup of this namespace.'),
  priority: z.int32().min(0).max(9).default(0).describe('0 is used first, the next when it could not answer.'),
  weight: z.int32().min(0).max(1000).default(100).describe('Share of the requests among groups of the same priority.'),
  modelOverride: modelName()
    .optional()
    .describe('Model to ask this group for, instead of the one of the request or the rule.'),
})

const rule = z.strictObject({
  name: itemName().describe('Name of the rule, in logs and in `korproxy explain`.'),
  match,
  modelOverride: modelName().optional().describe('Model to ask for instead of the one of the request.'),
  providerGroups: withRules(mapOf(target, 'name', 8).min(1), [
    {
      message: 'at least one provider group needs weight > 0',
      cel: 'self.exists(g, !has(g.weight) || g.weight > 0)',
      holds: (groups) => groups.some(({ weight }) => weight > 0),
    },
  ]).describe('Where the requests go.'),
  retry: z
    .strictObject({
      attempts: z.int32().min(0).max(9).optional().describe('Attempts after the first one. Absent: as the group says.'),
      conditions: setOf(z.enum(RETRY_CONDITIONS), 8)
        .optional()
        .describe('What is worth another attempt. Absent: as the group says.'),
    })
    .optional()
    .describe('Stronger than the retry policy of the group.'),
  timeouts: z
    .strictObject({
      connect: duration().optional().describe('Until the connection stands, TLS included.'),
      firstByte: duration().optional().describe('Until the first content of a stream.'),
      firstByteWhole: duration().optional().describe('Until the first byte of a reply that is not a stream.'),
      idle: duration().optional().describe('Between two pieces of a reply.'),
      request: duration().optional().describe('The whole request with all its attempts.'),
    })
    .optional()
    .describe('Stronger than the time-outs of the group; what is left out is as the group says.'),
})

const spec = withRules(
  z.strictObject({
    displayName: displayName().optional(),
    description: z.string().max(512).optional().describe('What the profile is for.'),
    color: z
      .string()
      .max(7)
      .regex(/^#[0-9A-Fa-f]{6}$/, 'must be a colour such as "#4f46e5"')
      .optional()
      .describe('Colour in the dashboard.'),
    icon: z.string().max(32).optional().describe('Icon in the dashboard.'),
    // A map list keeps its order and lets the API server refuse duplicates, which CEL could not afford for so many.
    rules: mapOf(rule, 'name', 1000).optional().describe('Rules in order; the first that matches decides.'),
    defaultProviderGroup: objectReference('ProviderGroup')
      .optional()
      .describe('Where requests go that no rule matches. Absent: to all accounts of the namespace.'),
  }),
  [
    {
      message: 'set rules or defaultProviderGroup',
      cel: 'has(self.defaultProviderGroup) || (has(self.rules) && size(self.rules) > 0)',
      holds: ({ defaultProviderGroup, rules = [] }) => defaultProviderGroup !== undefined || rules.length > 0,
    },
  ],
)

const status = z.strictObject({
  ...baseStatus,
  active: z.boolean().optional().describe('Whether this is the active profile of its namespace.'),
  rules: count().optional().describe('Number of rules.'),
})

export const routingProfile = {
  kind: 'RoutingProfile',
  plural: 'routingprofiles',
  shortName: 'rprof',
  description:
    'A named set of routing rules: what goes where. GatewayConfig.spec.activeProfileRef picks the active one.',
  spec,
  status,
  columns: [
    { name: 'Display', type: 'string', jsonPath: '.spec.displayName' },
    { name: 'Active', type: 'boolean', jsonPath: '.status.active' },
    { name: 'Rules', type: 'integer', jsonPath: '.status.rules' },
    { name: 'Default', type: 'string', jsonPath: '.spec.defaultProviderGroup.name' },
    READY,
    GATEWAYS,
    REASON,
    AGE,
  ],
  selectableFields: [],
} as const satisfies KindDefinition

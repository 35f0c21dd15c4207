import { z } from 'zod'
import { decimal } from './decimal.ts'
import { duration } from './duration.ts'
import { AGE, type KindDefinition, READY } from './kind-definition.ts'
import { mapOf, setOf } from './list.ts'
import { itemName, modelGlob } from './name.ts'
import { withRules } from './rule.ts'
import { baseStatus, count, timestamp } from './status.ts'

const window = withRules(
  z.strictObject({
    type: z
      .enum(['Sliding', 'Calendar'])
      .default('Sliding')
      .describe('Sliding counts the last `duration`; Calendar starts anew with each `period`.'),
    duration: duration().optional().describe('Length of a sliding window.'),
    period: z
      .enum(['Hour', 'Day', 'Week', 'Month'])
      .optional()
      .describe('Length of a calendar window. Weeks begin on Monday.'),
    timeZone: z
      .string()
      .max(64)
      .regex(/^[A-Za-z0-9_+-]+(\/[A-Za-z0-9_+-]+)*$/, 'must be a time zone such as Europe/Berlin')
      .default('UTC')
      .describe('IANA time zone in which a calendar window begins.'),
  }),
  [
    {
      message: 'Sliding needs duration, Calendar needs period',
      cel: "self.type == 'Sliding' ? has(self.duration) && !has(self.period) : has(self.period) && !has(self.duration)",
      holds: ({ type, duration: length, period }) =>
        type === 'Sliding'
          ? length !== undefined && period === undefined
          : period !== undefined && length === undefined,
    },
  ],
)

const limit = withRules(
  z.strictObject({
    name: itemName().describe('Name of the limit, in errors and metrics.'),
    metric: z
      .enum(['Requests', 'InputTokens', 'OutputTokens', 'TotalTokens', 'CostUSD', 'InFlight'])
      .describe('What is counted. InFlight: requests at the same time.'),
    max: decimal().describe('How much is allowed, e.g. "600" or "250.00".'),
    window: window.optional().describe('Over which time. Needed unless the metric is InFlight.'),
    models: setOf(modelGlob(), 32).optional().describe('Counts only requests for these models. Absent: all.'),
    action: z
      .enum(['Reject', 'Warn', 'SafeMode'])
      .default('Reject')
      .describe('When it is used up: refuse, only warn, or send requests to the safe-mode target.'),
    warnAtPercent: z.int32().min(1).max(100).default(80).describe('Warns when this share is used up.'),
    onStoreError: z
      .enum(['Local', 'Allow', 'Deny'])
      .default('Local')
      .describe('While the shared store is away: each gateway counts its share, allows everything, or refuses.'),
  }),
  [
    {
      message: 'window is required unless metric is InFlight',
      cel: "self.metric == 'InFlight' || has(self.window)",
      field: 'window',
      holds: (value) => value.metric === 'InFlight' || value.window !== undefined,
    },
  ],
)

const spec = z.strictObject({
  scope: z
    .enum(['PerClient', 'Shared'])
    .default('PerClient')
    .describe(
      'PerClient: each client that names this policy has its own allowance. Shared: one allowance for all of them.',
    ),
  limits: mapOf(limit, 'name', 16).min(1).describe('Limits; a request must fit into all of them.'),
})

const status = z.strictObject({
  ...baseStatus,
  limits: count().optional().describe('Number of limits.'),
  clients: count().optional().describe('Clients that this policy binds.'),
  exceeded: count().optional().describe('Limits that are used up now, over all clients.'),
  usage: mapOf(
    z.strictObject({
      name: itemName().describe('Limit.'),
      used: decimal().describe('How much of it is used.'),
      resetTime: timestamp().optional().describe('When it starts anew.'),
    }),
    'name',
    16,
  )
    .optional()
    .describe('Use of the shared allowance.'),
})

export const usagePolicy = {
  kind: 'UsagePolicy',
  plural: 'usagepolicies',
  shortName: 'usagepol',
  description: 'Limits and budgets for many clients; Shared pools one allowance over all of them.',
  spec,
  status,
  columns: [
    { name: 'Scope', type: 'string', jsonPath: '.spec.scope' },
    { name: 'Limits', type: 'integer', jsonPath: '.status.limits' },
    { name: 'Clients', type: 'integer', jsonPath: '.status.clients' },
    { name: 'Exceeded', type: 'integer', jsonPath: '.status.exceeded' },
    READY,
    AGE,
  ],
  selectableFields: ['.spec.scope'],
} as const satisfies KindDefinition

import { z } from 'zod'
import { duration } from './duration.ts'
import { headerName } from './http.ts'
import { AGE, GATEWAYS, type KindDefinition, READY } from './kind-definition.ts'
import { mapOf, orderedOf, setOf, textMap } from './list.ts'
import { displayName, objectName } from './name.ts'
import { objectReference } from './reference.ts'
import { RETRY_CONDITIONS } from './retry.ts'
import { withRules } from './rule.ts'
import { baseStatus, count } from './status.ts'

const SELECTION_STRATEGIES = [
  'RoundRobin',
  'Weighted',
  'Random',
  'Priority',
  'LeastInFlight',
  'LatencyAware',
  'LowestCost',
  'Sticky',
] as const

const percent = () => z.int32().min(0).max(100)

const affinity = withRules(
  z.strictObject({
    by: z
      .enum(['None', 'Client', 'Header', 'PromptPrefix', 'Session'])
      .default('None')
      .describe(
        'What stays on one account: everything of a client, of a header value, of a common beginning of the prompt, or of a session that the request names.',
      ),
    header: headerName().optional().describe('Header whose value decides, when `by` is Header.'),
    ttl: duration()
      .optional()
      .describe(
        'Accepted, and without effect: which account a key prefers is computed from the key and the accounts and never remembered, so that nothing expires.',
      ),
  }),
  [
    {
      message: 'header is required when by is Header',
      cel: "!has(self.by) || self.by != 'Header' || has(self.header)",
      field: 'header',
      holds: ({ by, header }) => by !== 'Header' || header !== undefined,
    },
  ],
)
  .prefault({})
  .describe("Keeps a conversation on one account, so that the provider's prompt cache stays warm.")

const backoff = z
  .strictObject({
    initial: duration().default('30s').describe('First wait after a rate limit for which the provider gave no time.'),
    max: duration().default('5m').describe('Longest wait.'),
    multiplier: z.int32().min(1).max(10).default(2).describe('Each further wait is the last one times this.'),
    jitterPercent: percent()
      .default(10)
      .describe('Waits vary by up to this share, so that gateways do not return at once together.'),
    retryAfter: z
      .enum(['Honor', 'Ignore'])
      .default('Honor')
      .describe("Honor takes the provider's own time (`Retry-After`, reset headers) when it gives one."),
  })
  .prefault({})
  .describe('How long a rate-limited account rests.')

const health = z
  .strictObject({
    failureThreshold: z
      .int32()
      .min(1)
      .max(100)
      .default(3)
      .describe('Failures in a row after which an account is erroring.'),
    minimumSpread: duration()
      .default('1s')
      .describe(
        'The failures must lie at least this far apart, or on two connections, so that one blip ejects nothing.',
      ),
    erroringTimeout: duration().default('30m').describe('Longest wait until an erroring account is tried again.'),
    backoff,
    halfOpenRequests: z
      .int32()
      .min(1)
      .max(100)
      .default(1)
      .describe('Requests at a time that probe an erroring account.'),
    whenAllUnavailable: z
      .enum(['LeastRecentlyLimited', 'FailFast'])
      .default('LeastRecentlyLimited')
      .describe(
        'When every account is limited: try the one limited longest ago, or answer 429 with `Retry-After` at once.',
      ),
  })
  .prefault({})
  .describe('When an account counts as unusable, and for how long.')

const retry = z
  .strictObject({
    maxAttempts: z
      .int32()
      .min(1)
      .max(10)
      .default(3)
      .describe('Attempts in all, the first included, over all accounts and groups.'),
    conditions: setOf(z.enum(RETRY_CONDITIONS), 8)
      .default([...RETRY_CONDITIONS])
      .describe('What is worth another attempt. Nothing is retried once content has reached the client.'),
    budgetPercent: percent().default(20).describe('Retries in flight may be this share of the requests in flight,'),
    budgetMin: z.int32().min(0).max(1000).default(3).describe('but always this many.'),
    sameAccountBackoff: z
      .strictObject({
        base: duration().default('1s').describe('First wait; doubles with every attempt.'),
        max: duration().default('60s').describe('Longest wait.'),
      })
      .prefault({})
      .describe('Wait before the same account is tried once more, when there is no other.'),
    maxRetryAfterWait: duration()
      .default('3s')
      .describe('A `Retry-After` up to this long is waited for when no other account is left; `0s` never waits.'),
  })
  .prefault({})
  .describe('When and how often a failed request is tried again.')

const timeouts = z
  .strictObject({
    connect: duration().default('5s').describe('Until the connection stands, TLS included.'),
    firstByte: duration().default('120s').describe('Until the first content of a stream.'),
    firstByteWhole: duration().default('600s').describe('Until the first byte of a reply that is not a stream.'),
    idle: duration().default('120s').describe('Between two pieces of a reply.'),
    request: duration().default('1800s').describe('The whole request with all its attempts.'),
  })
  .prefault({})
  .describe('Time-outs of requests to this group; a rule of a profile may set its own.')

const spec = withRules(
  z.strictObject({
    displayName: displayName().optional(),
    accountRefs: mapOf(
      z.strictObject({
        name: objectName().describe('Name of a ProviderAccount of this namespace.'),
        weight: z
          .int32()
          .min(0)
          .max(1000)
          .default(100)
          .describe('Share of the requests, relative to the others; 0: only when nothing else is left.'),
        priority: z
          .int32()
          .min(0)
          .max(9)
          .default(0)
          .describe('Tier: 0 is used first, the next when no account of it is available.'),
      }),
      'name',
      128,
    )
      .optional()
      .describe('Accounts of this group.'),
    accountSelector: z
      .strictObject({
        matchLabels: textMap(z.string().max(63), 8).describe('Labels that an account must have, all of them.'),
      })
      .optional()
      .describe('Accounts of this namespace by label, besides those in `accountRefs`.'),
    selectionStrategy: z
      .enum(SELECTION_STRATEGIES)
      .default('RoundRobin')
      .describe(
        'Which available account gets a request: RoundRobin in turn by weight, Weighted the same, Random by weight, Priority the first tier in order, LeastInFlight the least busy, LatencyAware the fastest, LowestCost the cheapest, Sticky the same for the same client or session.',
      ),
    affinity,
    health,
    retry,
    timeouts,
    fallbackGroupRefs: withRules(orderedOf(objectReference('ProviderGroup'), 8), [
      {
        message: 'fallback groups must be different',
        cel: 'self.all(a, self.exists_one(b, b.name == a.name))',
        holds: (groups) => new Set(groups.map(({ name }) => name)).size === groups.length,
      },
    ])
      .optional()
      .describe('Groups tried in this order when no account of this one could answer.'),
    onUnsupported: z
      .enum(['Error', 'Drop'])
      .default('Error')
      .describe(
        "What a translation does with parameters that the provider's format has no form for and that change the answer: refuse the request, or leave them out.",
      ),
  }),
  [
    {
      message: 'set accountRefs or accountSelector',
      cel: '(has(self.accountRefs) && size(self.accountRefs) > 0) || has(self.accountSelector)',
      holds: ({ accountRefs = [], accountSelector }) => accountRefs.length > 0 || accountSelector !== undefined,
    },
  ],
)

const status = z.strictObject({
  ...baseStatus,
  accounts: z
    .strictObject({
      total: count().optional().describe('Accounts of this group.'),
      available: count().optional().describe('Of these available.'),
      rateLimited: count().optional().describe('Of these rate-limited.'),
      erroring: count().optional().describe('Of these erroring.'),
      disabled: count().optional().describe('Of these disabled or draining.'),
    })
    .optional()
    .describe('Accounts by health.'),
  availableAccounts: z.string().max(16).optional().describe('Available / all accounts, e.g. `1/2`.'),
})

export const providerGroup = {
  kind: 'ProviderGroup',
  plural: 'providergroups',
  shortName: 'pgrp',
  description: 'A pool of provider accounts with a selection strategy, a health policy and a retry policy.',
  spec,
  status,
  columns: [
    { name: 'Strategy', type: 'string', jsonPath: '.spec.selectionStrategy' },
    { name: 'Available', type: 'string', jsonPath: '.status.availableAccounts' },
    { name: 'Limited', type: 'integer', jsonPath: '.status.accounts.rateLimited', priority: 1 },
    { name: 'Erroring', type: 'integer', jsonPath: '.status.accounts.erroring', priority: 1 },
    READY,
    GATEWAYS,
    AGE,
  ],
  selectableFields: ['.spec.selectionStrategy'],
} as const satisfies KindDefinition

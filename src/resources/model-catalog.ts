import { z } from 'zod'
import { decimal } from './decimal.ts'
import { AGE, type KindDefinition, READY } from './kind-definition.ts'
import { mapOf, orderedOf, setOf } from './list.ts'
import { itemName, modelGlob, modelName, requestType } from './name.ts'
import { withRules } from './rule.ts'
import { baseStatus, count, timestamp } from './status.ts'

/** What a model can do; a fact that is in neither list of a model is unknown. */
const CAPABILITIES = [
  'Tools',
  'ForcedToolUse',
  'Vision',
  'Pdf',
  'AudioIn',
  'Reasoning',
  'AdaptiveThinking',
  'ThinkingAlwaysOn',
  'ThinkingLevel',
  'Sampling',
  'MidSystem',
  'JsonSchema',
  'Prefill',
  'PromptCache',
] as const

const tokenPrices = {
  inputPerMillion: decimal().optional().describe('US dollars for a million input tokens.'),
  cachedInputPerMillion: decimal().optional().describe('US dollars for a million input tokens read from the cache.'),
  cacheWritePerMillion: decimal()
    .optional()
    .describe('US dollars for a million tokens written to the cache for minutes.'),
  cacheWrite1hPerMillion: decimal()
    .optional()
    .describe('US dollars for a million tokens written to the cache for an hour.'),
  outputPerMillion: decimal().optional().describe('US dollars for a million output tokens.'),
  reasoningPerMillion: decimal()
    .optional()
    .describe('US dollars for a million reasoning tokens. Absent: as output tokens.'),
}

const pricing = z.strictObject({
  ...tokenPrices,
  perRequest: decimal().optional().describe('US dollars for each request.'),
  tiers: withRules(
    orderedOf(
      z.strictObject({
        aboveInputTokens: z.int().min(1).max(1e12).describe('The tier is for prompts longer than this, in tokens.'),
        ...tokenPrices,
      }),
      8,
    ),
    [
      {
        message: 'each tier needs a different aboveInputTokens',
        cel: 'self.all(a, self.exists_one(b, b.aboveInputTokens == a.aboveInputTokens))',
        holds: (tiers) => new Set(tiers.map((tier) => tier.aboveInputTokens)).size === tiers.length,
      },
    ],
  )
    .optional()
    .describe('Other prices for long prompts; the highest tier that the prompt passes is for the whole request.'),
})

const capabilities = () => setOf(z.enum(CAPABILITIES), 32).optional()

const model = z.strictObject({
  name: modelName().describe('Name of the model as its provider writes it.'),
  displayName: z.string().max(128).optional().describe('Name shown to people.'),
  vendor: z.string().max(63).optional().describe('Who makes it, e.g. `openai`; `owned_by` in `GET /v1/models`.'),
  family: itemName().optional().describe('Family it belongs to, whatever the patterns say.'),
  aliases: setOf(modelName(), 16).optional().describe('Other names of this model.'),
  requestTypes: setOf(requestType(), 4).optional().describe('Types of request it serves.'),
  contextWindow: z.int().min(1).max(1e12).optional().describe('Longest prompt and answer together, in tokens.'),
  maxOutputTokens: z.int().min(1).max(1e12).optional().describe('Longest answer, in tokens.'),
  capabilities: capabilities().describe('What it can do.'),
  lacksCapabilities: capabilities().describe('What it cannot do. What is in neither list is unknown.'),
  pricing: pricing.optional().describe('What it costs. Absent: unknown.'),
  deprecatedAt: timestamp().optional().describe('When its provider retires it.'),
})

const spec = withRules(
  z.strictObject({
    families: mapOf(
      z.strictObject({
        name: itemName().describe('Name of the family, for `match.modelFamilies`.'),
        requestType: requestType()
          .optional()
          .describe('Type of requests for models of this family, where the path leaves it open.'),
        patterns: setOf(modelGlob(), 64).min(1).describe('Globs of its models.'),
      }),
      'name',
      64,
    )
      .optional()
      .describe('Families of models; the first in order with a pattern that matches.'),
    models: mapOf(model, 'name', 1000)
      .optional()
      .describe('Facts about models. A field that is given replaces the one of the built-in catalogue.'),
  }),
  [
    {
      message: 'set families or models',
      cel: 'has(self.families) || has(self.models)',
      holds: ({ families, models }) => families !== undefined || models !== undefined,
    },
  ],
)

const status = z.strictObject({
  ...baseStatus,
  models: count().optional().describe('Number of models.'),
  families: count().optional().describe('Number of families.'),
})

export const modelCatalog = {
  kind: 'ModelCatalog',
  plural: 'modelcatalogs',
  shortName: 'mcat',
  description:
    'Facts about models, over the built-in catalogue: families, aliases, context windows, capabilities, prices.',
  spec,
  status,
  columns: [
    { name: 'Models', type: 'integer', jsonPath: '.status.models' },
    { name: 'Families', type: 'integer', jsonPath: '.status.families' },
    READY,
    AGE,
  ],
  selectableFields: [],
} as const satisfies KindDefinition

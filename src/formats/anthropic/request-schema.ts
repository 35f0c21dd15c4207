import { z } from 'zod'
import { jsonObject } from '../ir/json-fields.ts'

/** What a client may send, per https://platform.claude.com/docs/en/api/messages. Unknown keys stay, so that they can be listed as dropped. */

const cacheControl = z.looseObject({ ttl: z.string().nullish() }).nullish()
export type CacheControl = z.output<typeof cacheControl>

const textBlock = z.looseObject({ type: z.literal('text'), text: z.string(), cache_control: cacheControl })

const mediaSources = [
  z.looseObject({ type: z.literal('base64'), media_type: z.string(), data: z.string() }),
  z.looseObject({ type: z.literal('url'), url: z.string() }),
  z.looseObject({ type: z.literal('file'), file_id: z.string() }),
] as const

const imageBlock = z.looseObject({
  type: z.literal('image'),
  source: z.discriminatedUnion('type', [...mediaSources]),
  cache_control: cacheControl,
})
export type ImageBlock = z.output<typeof imageBlock>

const documentBlock = z.looseObject({
  type: z.literal('document'),
  source: z.discriminatedUnion('type', [
    ...mediaSources,
    z.looseObject({ type: z.literal('text'), data: z.string() }),
    z.looseObject({
      type: z.literal('content'),
      content: z.union([z.string(), z.array(z.discriminatedUnion('type', [textBlock, imageBlock]))]),
    }),
  ]),
  title: z.string().nullish(),
  cache_control: cacheControl,
})
export type DocumentBlock = z.output<typeof documentBlock>

const searchResultBlock = z.looseObject({
  type: z.literal('search_result'),
  source: z.string(),
  title: z.string(),
  content: z.array(textBlock),
  cache_control: cacheControl,
})
export type SearchResultBlock = z.output<typeof searchResultBlock>

const toolReferenceBlock = z.looseObject({ type: z.literal('tool_reference'), tool_name: z.string() })

const thinkingBlock = z.looseObject({
  type: z.literal('thinking'),
  thinking: z.string(),
  signature: z.string().nullish(),
})
const redactedThinkingBlock = z.looseObject({ type: z.literal('redacted_thinking'), data: z.string() })
const toolUseBlock = z.looseObject({
  type: z.literal('tool_use'),
  id: z.string(),
  name: z.string(),
  input: jsonObject,
  cache_control: cacheControl,
})

/** A block of a type not listed above; a listed type with broken fields is an error and must not slip through here. */
function otherBlock(known: readonly string[]) {
  return z.looseObject({ type: z.string().refine((type) => !known.includes(type), { abort: true }) })
}

const resultTypes = ['text', 'image', 'document', 'search_result', 'tool_reference']
const resultBlock = z.union([
  z.discriminatedUnion('type', [textBlock, imageBlock, documentBlock, searchResultBlock, toolReferenceBlock]),
  otherBlock(resultTypes),
])
export type ResultBlock = z.output<typeof resultBlock>

const toolResultBlock = z.looseObject({
  type: z.literal('tool_result'),
  tool_use_id: z.string(),
  content: z.union([z.string(), z.array(resultBlock)]).nullish(),
  is_error: z.boolean().nullish(),
  cache_control: cacheControl,
})
export type ToolResultBlock = z.output<typeof toolResultBlock>

const knownBlock = z.discriminatedUnion('type', [
  textBlock,
  imageBlock,
  documentBlock,
  searchResultBlock,
  thinkingBlock,
  redactedThinkingBlock,
  toolUseBlock,
  toolResultBlock,
])
export type KnownBlock = z.output<typeof knownBlock>
const knownTypes = [
  'text',
  'image',
  'document',
  'search_result',
  'thinking',
  'redacted_thinking',
  'tool_use',
  'tool_result',
]
const block = z.union([knownBlock, otherBlock(knownTypes)])
export type Block = z.output<typeof block>

/** `otherBlock` refuses the known types, so the type tells the two apart. */
export function isKnownBlock(candidate: Block): candidate is KnownBlock {
  return knownTypes.includes(candidate.type)
}

const message = z.looseObject({
  role: z.enum(['user', 'assistant', 'system']),
  content: z.union([z.string(), z.array(block)]),
})
export type Message = z.output<typeof message>

const tool = z.looseObject({
  type: z.string().nullish(),
  name: z.string().nullish(),
  description: z.string().nullish(),
  input_schema: jsonObject.nullish(),
  strict: z.boolean().nullish(),
  cache_control: cacheControl,
})
export type ToolDefinition = z.output<typeof tool>

const outputFormat = z.looseObject({ type: z.string(), schema: jsonObject.nullish() })

export const countTokensSchema = z.looseObject({
  model: z.string().min(1),
  max_tokens: z.int().positive().nullish(),
  messages: z.array(message),
  system: z.union([z.string(), z.array(textBlock)]).nullish(),
  tools: z.array(tool).nullish(),
  tool_choice: z
    .looseObject({
      type: z.enum(['auto', 'any', 'tool', 'none']),
      name: z.string().nullish(),
      disable_parallel_tool_use: z.boolean().nullish(),
    })
    .nullish(),
  thinking: z
    .looseObject({
      type: z.string(),
      budget_tokens: z.int().positive().nullish(),
      display: z.string().nullish(),
    })
    .nullish(),
  output_config: z
    .looseObject({
      effort: z.enum(['low', 'medium', 'high', 'xhigh', 'max']).nullish(),
      format: outputFormat.nullish(),
    })
    .nullish(),
  output_format: outputFormat.nullish(),
  stop_sequences: z.array(z.string()).nullish(),
  stream: z.boolean().nullish(),
  metadata: z.looseObject({ user_id: z.string().nullish() }).nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  top_k: z.int().nullish(),
})
/** `max_tokens` is required: https://platform.claude.com/docs/en/api/messages/create */
export const requestSchema = countTokensSchema.extend({ max_tokens: z.int().positive() })
export type RequestBody = z.output<typeof countTokensSchema>

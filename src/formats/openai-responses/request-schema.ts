import { z } from 'zod'
import { isJsonObject, jsonObject } from '../ir/json-fields.ts'

const text = z.string()
const detail = z.enum(['auto', 'low', 'high', 'original'])

const contentPart = z.discriminatedUnion('type', [
  z.object({ type: z.enum(['input_text', 'output_text', 'text', 'summary_text', 'reasoning_text']), text }),
  z.object({ type: z.literal('refusal'), refusal: text }),
  z.object({
    type: z.literal('input_image'),
    image_url: text.nullish(),
    file_id: text.nullish(),
    detail: detail.nullish(),
  }),
  z.object({
    type: z.literal('input_file'),
    file_data: text.nullish(),
    file_id: text.nullish(),
    file_url: text.nullish(),
    filename: text.nullish(),
  }),
  z.object({ type: z.literal('input_audio'), input_audio: z.object({ data: text, format: text }) }),
])
export type ContentPart = z.output<typeof contentPart>

const content = z.union([z.string(), z.array(contentPart)])
export type Content = z.output<typeof content>

const textParts = z.array(z.object({ text }))

const knownItem = z.discriminatedUnion('type', [
  z.object({ type: z.literal('message'), role: z.enum(['user', 'assistant', 'system', 'developer']), content }),
  z.object({
    type: z.literal('function_call'),
    call_id: text,
    name: text,
    arguments: text,
    namespace: text.nullish(),
  }),
  z.object({
    type: z.literal('custom_tool_call'),
    call_id: text,
    name: text,
    input: text,
    namespace: text.nullish(),
  }),
  z.object({ type: z.enum(['function_call_output', 'custom_tool_call_output']), call_id: text, output: content }),
  z.object({
    type: z.literal('reasoning'),
    id: text.nullish(),
    summary: textParts.nullish(),
    content: textParts.nullish(),
    encrypted_content: text.nullish(),
  }),
  z.object({ type: z.literal('item_reference'), id: text }),
  z.object({ type: z.enum(['compaction', 'compaction_summary', 'compaction_trigger']) }),
  z.object({ type: z.literal('unknown'), name: text }),
])
export type InputItem = z.output<typeof knownItem>

const ITEM_TYPES: ReadonlySet<string> = new Set<InputItem['type']>([
  'message',
  'function_call',
  'function_call_output',
  'custom_tool_call',
  'custom_tool_call_output',
  'reasoning',
  'item_reference',
  'compaction',
  'compaction_summary',
  'compaction_trigger',
])

/** An item may leave out its type: with a role it is a message, without one a reference to a stored item. */
function nameItemType(item: unknown): unknown {
  if (!isJsonObject(item)) return item
  const type = item['type']
  if (type === undefined || type === null) return { ...item, type: 'role' in item ? 'message' : 'item_reference' }
  return typeof type === 'string' && !ITEM_TYPES.has(type) ? { type: 'unknown', name: type } : item
}

const functionTool = z.object({
  type: z.literal('function'),
  name: text,
  description: text.nullish(),
  parameters: jsonObject.nullish(),
  strict: z.boolean().nullish(),
})
const customTool = z.object({
  type: z.literal('custom'),
  name: text,
  description: text.nullish(),
  format: z.object({ type: text, syntax: text.nullish(), definition: text.nullish() }).nullish(),
})
const namespaceTool = z.object({
  type: z.literal('namespace'),
  name: text,
  tools: z.array(z.preprocess(nameToolType, z.discriminatedUnion('type', [functionTool, customTool, hostedTool()]))),
})
const tool = z.discriminatedUnion('type', [functionTool, customTool, namespaceTool, hostedTool()])
export type FunctionTool = z.output<typeof functionTool>
export type CustomTool = z.output<typeof customTool>
export type ResponsesTool = z.output<typeof tool>

/** A tool that OpenAI runs itself, or one that is newer than this list. */
function hostedTool() {
  return z.object({ type: z.literal('hosted'), name: text })
}

function nameToolType(value: unknown): unknown {
  if (!isJsonObject(value)) return value
  const type = value['type']
  if (type === 'function' || type === 'custom' || type === 'namespace' || typeof type !== 'string') return value
  return { type: 'hosted', name: type }
}

const toolChoice = z.union([
  z.enum(['none', 'auto', 'required']),
  z.object({ type: text, name: text.nullish(), mode: text.nullish(), tools: z.array(jsonObject).nullish() }),
])
export type ResponsesToolChoice = z.output<typeof toolChoice>

const textFormat = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text') }),
  z.object({ type: z.literal('json_object') }),
  z.object({
    type: z.literal('json_schema'),
    name: text,
    description: text.nullish(),
    schema: jsonObject,
    strict: z.boolean().nullish(),
  }),
])
export type TextFormat = z.output<typeof textFormat>

/** @see https://platform.openai.com/docs/api-reference/responses/create */
export const requestSchema = z.looseObject({
  model: text,
  input: z.union([z.string(), z.array(z.preprocess(nameItemType, knownItem))]),
  instructions: text.nullish(),
  tools: z.array(z.preprocess(nameToolType, tool)).nullish(),
  tool_choice: toolChoice.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  max_output_tokens: z.int().positive().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  top_logprobs: z.int().nullish(),
  reasoning: z
    .object({
      effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']).nullish(),
      summary: text.nullish(),
      generate_summary: text.nullish(),
    })
    .nullish(),
  text: z.object({ format: textFormat.nullish(), verbosity: text.nullish() }).nullish(),
  include: z.array(text).nullish(),
  stream: z.boolean().nullish(),
  service_tier: text.nullish(),
  user: text.nullish(),
  safety_identifier: text.nullish(),
  prompt_cache_key: text.nullish(),
})
export type ResponsesRequest = z.output<typeof requestSchema>

import { z } from 'zod'
import { jsonObject } from '../ir/json-fields.ts'

/** Anthropic's cache hint, which OpenRouter and LiteLLM clients put on OpenAI parts, messages and tools. */
const cacheControl = z.object({ type: z.string(), ttl: z.enum(['5m', '1h']).nullish() }).nullish()

const textPart = z.object({ type: z.literal('text'), text: z.string(), cache_control: cacheControl })
const refusalPart = z.object({ type: z.literal('refusal'), refusal: z.string() })
const imageUrl = z.union([z.string(), z.object({ url: z.string(), detail: z.string().nullish() })])
const imagePart = z.object({ type: z.literal('image_url'), image_url: imageUrl, cache_control: cacheControl })
const audioPart = z.object({
  type: z.literal('input_audio'),
  input_audio: z.object({ data: z.string(), format: z.string() }),
})
const filePart = z.object({
  type: z.literal('file'),
  file: z.object({ file_id: z.string().nullish(), file_data: z.string().nullish(), filename: z.string().nullish() }),
  cache_control: cacheControl,
})

const text = z.union([z.string(), z.array(textPart)])
const userPart = z.discriminatedUnion('type', [textPart, imagePart, audioPart, filePart])
const assistantPart = z.discriminatedUnion('type', [textPart, refusalPart])

const extraContent = z.object({ google: z.object({ thought_signature: z.string().nullish() }).nullish() }).nullish()
const functionCall = z.object({ name: z.string(), arguments: z.string().nullish() })
const toolCall = z.union([
  z.object({ id: z.string(), type: z.literal('custom'), custom: z.object({ name: z.string(), input: z.string() }) }),
  z.object({
    id: z.string(),
    type: z.literal('function').nullish(),
    function: functionCall,
    extra_content: extraContent,
    cache_control: cacheControl,
  }),
])

/** OpenRouter's reasoning blocks. @see https://openrouter.ai/docs/use-cases/reasoning-tokens */
const reasoningDetail = z.object({
  type: z.string(),
  text: z.string().nullish(),
  summary: z.string().nullish(),
  data: z.string().nullish(),
  signature: z.string().nullish(),
  format: z.string().nullish(),
  index: z.number().nullish(),
})

const instructionMessage = z.object({
  role: z.enum(['system', 'developer']),
  content: text,
  name: z.string().nullish(),
  cache_control: cacheControl,
})
const userMessage = z.object({
  role: z.literal('user'),
  content: z.union([z.string(), z.array(userPart)]),
  name: z.string().nullish(),
  cache_control: cacheControl,
})
const assistantMessage = z.object({
  role: z.literal('assistant'),
  content: z.union([z.string(), z.array(assistantPart)]).nullish(),
  refusal: z.string().nullish(),
  name: z.string().nullish(),
  audio: z.unknown().optional(),
  tool_calls: z.array(toolCall).nullish(),
  function_call: functionCall.nullish(),
  reasoning_content: z.string().nullish(),
  reasoning: z.string().nullish(),
  reasoning_details: z.array(reasoningDetail).nullish(),
  images: z.array(z.object({ image_url: imageUrl })).nullish(),
  cache_control: cacheControl,
})
const toolMessage = z.object({
  role: z.literal('tool'),
  tool_call_id: z.string(),
  name: z.string().nullish(),
  content: z.union([z.string(), z.array(z.discriminatedUnion('type', [textPart, imagePart]))]).nullish(),
  cache_control: cacheControl,
})
const functionMessage = z.object({ role: z.literal('function'), name: z.string(), content: z.string().nullish() })

const message = z.discriminatedUnion('role', [
  instructionMessage,
  userMessage,
  assistantMessage,
  toolMessage,
  functionMessage,
])

/** The members of a message that are read, by its role. */
export const MESSAGE_MEMBERS: ReadonlyMap<unknown, ReadonlySet<string>> = new Map<unknown, ReadonlySet<string>>([
  ['system', membersOf(instructionMessage)],
  ['developer', membersOf(instructionMessage)],
  ['user', membersOf(userMessage)],
  ['assistant', membersOf(assistantMessage)],
  ['tool', membersOf(toolMessage)],
  ['function', membersOf(functionMessage)],
])

function membersOf({ shape }: z.ZodObject): ReadonlySet<string> {
  return new Set(Object.keys(shape))
}

const functionDefinition = z.object({
  name: z.string(),
  description: z.string().nullish(),
  parameters: jsonObject.nullish(),
  strict: z.boolean().nullish(),
})
const tool = z.looseObject({
  type: z.string(),
  function: functionDefinition.nullish(),
  custom: z.object({ name: z.string(), description: z.string().nullish(), format: z.unknown().optional() }).nullish(),
  cache_control: cacheControl,
})

const named = z.object({ name: z.string() })
const namedTool = z.union([
  z.object({ type: z.literal('function'), function: named }),
  z.object({ type: z.literal('custom'), custom: named }),
])
const toolChoice = z.union([
  z.enum(['none', 'auto', 'required']),
  z.object({
    type: z.literal('allowed_tools'),
    allowed_tools: z.object({ mode: z.enum(['auto', 'required']), tools: z.array(namedTool).min(1) }),
  }),
  namedTool,
])

const responseFormat = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text') }),
  z.object({ type: z.literal('json_object') }),
  z.object({
    type: z.literal('json_schema'),
    json_schema: z.object({
      name: z.string(),
      description: z.string().nullish(),
      schema: jsonObject.nullish(),
      strict: z.boolean().nullish(),
    }),
  }),
])

const effort = z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'])

/** The parameters that the intermediate form carries; all others are dropped and counted. @see https://platform.openai.com/docs/api-reference/chat/create */
export const chatRequestSchema = z.object({
  model: z.string(),
  messages: z.array(message).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  tools: z.array(tool).nullish(),
  tool_choice: toolChoice.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  functions: z.array(functionDefinition).nullish(),
  function_call: z.union([z.enum(['none', 'auto']), named]).nullish(),
  response_format: responseFormat.nullish(),
  max_completion_tokens: z.number().nullish(),
  max_tokens: z.number().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  top_k: z.number().nullish(),
  n: z.number().nullish(),
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
  seed: z.number().nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.number().nullish(),
  logit_bias: jsonObject.nullish(),
  presence_penalty: z.number().nullish(),
  frequency_penalty: z.number().nullish(),
  reasoning_effort: effort.nullish(),
  /** OpenRouter. */
  reasoning: z
    .object({
      effort: effort.nullish(),
      max_tokens: z.number().nullish(),
      exclude: z.boolean().nullish(),
      enabled: z.boolean().nullish(),
    })
    .nullish(),
  /** Qwen. */
  enable_thinking: z.boolean().nullish(),
  thinking_budget: z.number().nullish(),
  modalities: z.array(z.string()).nullish(),
  service_tier: z.string().nullish(),
  user: z.string().nullish(),
  safety_identifier: z.string().nullish(),
  prompt_cache_key: z.string().nullish(),
})

export type ChatBody = z.output<typeof chatRequestSchema>
export type Message = ChatBody['messages'][number]
export type UserMessagePart = z.output<typeof userPart>
export type AssistantMessage = z.output<typeof assistantMessage>
export type ToolMessage = z.output<typeof toolMessage>
export type ToolCall = z.output<typeof toolCall>
export type ReasoningDetail = z.output<typeof reasoningDetail>
export type CacheControl = z.output<typeof cacheControl>
export type ChatTool = z.output<typeof tool>
export type FunctionDefinition = z.output<typeof functionDefinition>

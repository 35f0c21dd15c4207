import { type CallContext, firstRefusal, type Refusal, refusalOfEach } from '../call-context.ts'
import { isMap, type JsonMap, listOf, mapOf, memberOf, numberOf, textOf } from '../json-value.ts'
import { hasType, partsOf } from '../prompt-turn.ts'
import { checkFunction, isStrict, missing, wrongType } from './check-chat.ts'
import { checkStrictSchema } from './check-strict-schema.ts'

/** `client_metadata` is sent by Codex and accepted. */
const KNOWN = new Set(
  `model input instructions tools tool_choice parallel_tool_calls max_output_tokens max_tool_calls temperature top_p top_logprobs reasoning text
  include store previous_response_id conversation background truncation stream stream_options context_management prompt prompt_cache_key
  prompt_cache_retention prompt_cache_options service_tier metadata user safety_identifier moderation client_metadata`.split(
    /\s+/,
  ),
)
const MOVED: Record<string, string> = {
  messages: 'input',
  response_format: 'text.format',
  reasoning_effort: 'reasoning.effort',
}
const ID_PREFIXES: Record<string, string> = { message: 'msg', function_call: 'fc', reasoning: 'rs' }
const USER_PARTS = ['input_text', 'input_image', 'input_file', 'input_audio']
const MODEL_PARTS = ['output_text', 'refusal']
const LOWEST_OUTPUT_LIMIT = 16

/** What `POST /responses` refuses: https://platform.openai.com/docs/api-reference/responses/create */
export function checkResponses(body: JsonMap, context: CallContext): Refusal | undefined {
  const items = listOf(body, 'input')
  return firstRefusal(
    () => (isStrict(context) ? refuseUnknownParameter(body) : undefined),
    () => (memberOf(body, 'input') === undefined ? missing('input') : undefined),
    () => checkLimits(body),
    () => refusalOfEach(items, (item, index) => checkItem(item, `input[${index}]`)),
    () => checkCallPairs(items),
    () => checkTools(body),
    () => checkTextFormat(mapOf(mapOf(body, 'text'), 'format')),
  )
}

function refuseUnknownParameter(body: JsonMap): Refusal | undefined {
  const unknown = Object.keys(body).find((name) => !KNOWN.has(name))
  if (unknown === undefined) return undefined
  const moved = MOVED[unknown]
  return moved === undefined
    ? { message: `Unknown parameter: '${unknown}'.`, param: unknown, code: 'unknown_parameter' }
    : {
        message: `Unsupported parameter: '${unknown}'. In the Responses API, this parameter has moved to '${moved}'.`,
        param: unknown,
        code: 'unsupported_parameter',
      }
}

function checkLimits(body: JsonMap): Refusal | undefined {
  const previous = textOf(body, 'previous_response_id')
  if (previous !== undefined) {
    return {
      message: `Previous response with id '${previous}' not found.`,
      param: 'previous_response_id',
      code: 'previous_response_not_found',
    }
  }
  const limit = numberOf(body, 'max_output_tokens')
  if (limit === undefined || limit >= LOWEST_OUTPUT_LIMIT) return undefined
  return {
    message: `Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got ${limit} instead.`,
    param: 'max_output_tokens',
    code: 'integer_below_min_value',
  }
}

function checkItem(item: unknown, at: string): Refusal | undefined {
  if (!isMap(item)) return wrongType(at, 'an object')
  const role = textOf(item, 'role')
  const type = textOf(item, 'type') ?? (role === undefined ? undefined : 'message')
  if (type === undefined) return missing(`${at}.type`)
  const id = textOf(item, 'id')
  const prefix = ID_PREFIXES[type]
  if (id !== undefined && prefix !== undefined && !id.startsWith(prefix)) {
    return {
      message: `Invalid '${at}.id': '${id}'. Expected an ID that begins with '${prefix}'.`,
      param: `${at}.id`,
      code: 'invalid_value',
    }
  }
  switch (type) {
    case 'message':
      return checkMessageItem(item, role, at)
    case 'function_call':
      return firstRefusal(
        () => (textOf(item, 'call_id') === undefined ? missing(`${at}.call_id`) : undefined),
        () => (textOf(item, 'name') === undefined ? missing(`${at}.name`) : undefined),
        () => (textOf(item, 'arguments') === undefined ? wrongType(`${at}.arguments`, 'a string') : undefined),
      )
    case 'function_call_output':
      return memberOf(item, 'output') === undefined ? missing(`${at}.output`) : undefined
    case 'reasoning':
      return Array.isArray(item['summary']) ? undefined : missing(`${at}.summary`)
    default:
      return undefined
  }
}

function checkMessageItem(item: JsonMap, role: string | undefined, at: string): Refusal | undefined {
  if (role === undefined || !['user', 'assistant', 'system', 'developer'].includes(role)) {
    const supported = "'assistant', 'system', 'developer', and 'user'"
    return {
      message: `Invalid value: '${role}'. Supported values are: ${supported}.`,
      param: at,
      code: 'invalid_value',
    }
  }
  const content = memberOf(item, 'content')
  if (typeof content === 'string') return undefined
  const allowed = role === 'assistant' ? MODEL_PARTS : USER_PARTS
  return refusalOfEach(partsOf(content), (part, index) => {
    if (!hasType(part, ...allowed)) {
      const supported = allowed.map((name) => `'${name}'`).join(', ')
      const message = `Invalid value: '${String(memberOf(part, 'type'))}'. Supported values are: ${supported}.`
      return { message, param: `${at}.content[${index}]`, code: 'invalid_value' }
    }
    const misplaced = hasType(part, 'input_image') && isMap(memberOf(part, 'image_url'))
    return misplaced ? wrongType(`${at}.content[${index}].image_url`, 'a string') : undefined
  })
}

function checkCallPairs(items: readonly unknown[]): Refusal | undefined {
  const idsOf = (type: string) =>
    items.filter((item) => hasType(item, type)).map((item) => textOf(item, 'call_id') ?? '')
  const calls = idsOf('function_call')
  const outputs = idsOf('function_call_output')
  const orphan = outputs.find((id) => !calls.includes(id))
  if (orphan !== undefined)
    return { message: `No tool call found for function call output with call_id ${orphan}.`, param: 'input' }
  const open = calls.find((id) => !outputs.includes(id))
  return open === undefined ? undefined : { message: `No tool output found for function call ${open}.`, param: 'input' }
}

function checkTools(body: JsonMap): Refusal | undefined {
  return refusalOfEach(listOf(body, 'tools'), (tool, index) => {
    const at = `tools[${index}]`
    if (textOf(tool, 'type') === undefined) return missing(`${at}.type`)
    return hasType(tool, 'function') && isMap(tool) ? checkFunction(tool, at) : undefined
  })
}

function checkTextFormat(format: JsonMap): Refusal | undefined {
  if (!hasType(format, 'json_schema')) return undefined
  if (typeof format['name'] !== 'string') return missing('text.format.name')
  if (!isMap(format['schema'])) return missing('text.format.schema')
  const subject = `response_format '${format['name']}'`
  return format['strict'] === true ? checkStrictSchema(format['schema'], subject, 'text.format.schema') : undefined
}

import { type CallContext, firstRefusal, type Refusal, refusalOfEach } from '../call-context.ts'
import { isMap, type JsonMap, listOf, mapOf, memberOf, numberOf, textOf } from '../json-value.ts'
import { hasType, joinedText } from '../prompt-turn.ts'
import { checkStrictSchema } from './check-strict-schema.ts'

const KNOWN = new Set(
  `model messages tools tool_choice parallel_tool_calls functions function_call response_format max_completion_tokens max_tokens temperature
  top_p n stop seed logprobs top_logprobs logit_bias presence_penalty frequency_penalty reasoning_effort verbosity modalities audio prediction
  stream stream_options service_tier store metadata user safety_identifier prompt_cache_key prompt_cache_retention prompt_cache_options
  web_search_options moderation`.split(/\s+/),
)
const ROLES = ['developer', 'system', 'user', 'assistant', 'tool', 'function']
const PARTS: Record<string, readonly string[]> = {
  user: ['text', 'image_url', 'input_audio', 'file'],
  assistant: ['text', 'refusal'],
}
/** Reasoning models of OpenAI: https://platform.openai.com/docs/guides/reasoning */
const REASONING_MODEL = /^(o\d|gpt-5)/
const NO_SAMPLING_MODEL = /^(o\d|gpt-5(-mini|-nano)?(-\d{4}|$))/

/** What `POST /chat/completions` refuses: https://platform.openai.com/docs/api-reference/chat/create */
export function checkChat(body: JsonMap, context: CallContext): Refusal | undefined {
  const messages = listOf(body, 'messages')
  return firstRefusal(
    () => (messages.length > 0 ? undefined : missing('messages')),
    () => (isStrict(context) ? refuseUnknownArgument(body) : undefined),
    () => checkSampling(body, context),
    () => refusalOfEach(messages, (message, index) => checkMessage(message, `messages[${index}]`)),
    () => checkToolTurns(messages),
    () => checkTools(body),
    () => checkResponseFormat(body, messages),
  )
}

/** Compatible servers forgive what OpenAI and Azure do not. */
export function isStrict(context: CallContext): boolean {
  return context.dialect === 'azure' || (context.dialect === 'openai' && context.provider === 'openai')
}

export function missing(param: string): Refusal {
  return { message: `Missing required parameter: '${param}'.`, param, code: 'missing_required_parameter' }
}

export function wrongType(param: string, expected: string): Refusal {
  return { message: `Invalid type for '${param}': expected ${expected}.`, param, code: 'invalid_type' }
}

function refuseUnknownArgument(body: JsonMap): Refusal | undefined {
  const unknown = Object.keys(body).find((name) => !KNOWN.has(name))
  return unknown === undefined ? undefined : { message: `Unrecognized request argument supplied: ${unknown}` }
}

function checkSampling(body: JsonMap, context: CallContext): Refusal | undefined {
  const stop = memberOf(body, 'stop')
  if (Array.isArray(stop) && stop.length > 4) {
    return {
      message: `Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with length ${stop.length} instead.`,
      param: 'stop',
      code: 'array_above_max_length',
    }
  }
  const temperature = numberOf(body, 'temperature')
  if (temperature !== undefined && (temperature < 0 || temperature > 2)) {
    return {
      message: "Invalid 'temperature': expected a value between 0 and 2.",
      param: 'temperature',
      code: 'decimal_out_of_range',
    }
  }
  if (memberOf(body, 'stream_options') != null && memberOf(body, 'stream') !== true) {
    return {
      message: "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
      param: 'stream_options',
    }
  }
  return isStrict(context) && REASONING_MODEL.test(context.modelName)
    ? checkReasoningModel(body, context.modelName)
    : undefined
}

function checkReasoningModel(body: JsonMap, model: string): Refusal | undefined {
  if (memberOf(body, 'max_tokens') != null) {
    return {
      message:
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      param: 'max_tokens',
      code: 'unsupported_parameter',
    }
  }
  if (memberOf(body, 'stop') != null) {
    return {
      message: "Unsupported parameter: 'stop' is not supported with this model.",
      param: 'stop',
      code: 'unsupported_parameter',
    }
  }
  const temperature = numberOf(body, 'temperature')
  if (!NO_SAMPLING_MODEL.test(model) || temperature === undefined || temperature === 1) return undefined
  return {
    message: `Unsupported value: 'temperature' does not support ${temperature} with this model. Only the default (1) value is supported.`,
    param: 'temperature',
    code: 'unsupported_value',
  }
}

function checkMessage(message: unknown, at: string): Refusal | undefined {
  const role = textOf(message, 'role')
  if (role === undefined || !ROLES.includes(role)) {
    const supported = "'system', 'assistant', 'user', 'function', 'tool', and 'developer'"
    return {
      message: `Invalid value: '${role}'. Supported values are: ${supported}.`,
      param: `${at}.role`,
      code: 'invalid_value',
    }
  }
  const content = memberOf(message, 'content')
  const calls = memberOf(message, 'tool_calls')
  if (content == null) {
    return role === 'assistant' && (calls !== undefined || memberOf(message, 'function_call') !== undefined)
      ? checkCalls(calls, `${at}.tool_calls`)
      : { message: `Invalid value for 'content': expected a string, got null.`, param: `${at}.content` }
  }
  if (typeof content !== 'string' && !Array.isArray(content)) {
    return wrongType(`${at}.content`, 'one of a string or array of objects')
  }
  return firstRefusal(
    () =>
      Array.isArray(content)
        ? refusalOfEach(content, (part, index) => checkChatPart(part, role, `${at}.content[${index}]`))
        : undefined,
    () => (calls === undefined ? undefined : checkCalls(calls, `${at}.tool_calls`)),
  )
}

function checkChatPart(part: unknown, role: string, at: string): Refusal | undefined {
  const allowed = PARTS[role] ?? ['text']
  if (!hasType(part, ...allowed)) {
    const supported = allowed.map((name) => `'${name}'`).join(', ')
    const given = String(memberOf(part, 'type'))
    return {
      message: `Invalid value: '${given}'. Supported values are: ${supported}.`,
      param: at,
      code: 'invalid_value',
    }
  }
  if (!hasType(part, 'image_url')) return undefined
  const url = textOf(mapOf(part, 'image_url'), 'url')
  if (url === undefined) return missing(`${at}.image_url.url`)
  return /^(https?:\/\/|data:image\/[\w.+-]+;base64,[A-Za-z0-9+/=]+$)/.test(url)
    ? undefined
    : { message: `Failed to download image from ${url.slice(0, 60)}.`, code: 'invalid_image_url' }
}

function checkCalls(calls: unknown, at: string): Refusal | undefined {
  if (!Array.isArray(calls)) return wrongType(at, 'an array of objects')
  if (calls.length === 0) {
    return {
      message: `Invalid '${at}': empty array. Expected an array with minimum length 1, but got an empty array instead.`,
      param: at,
      code: 'empty_array',
    }
  }
  return refusalOfEach(calls, (call, index) => {
    if (textOf(call, 'id') === undefined) return missing(`${at}[${index}].id`)
    if (!hasType(call, 'function', 'custom')) return missing(`${at}[${index}].type`)
    if (hasType(call, 'custom')) return undefined
    const fn = mapOf(call, 'function')
    if (typeof fn['name'] !== 'string') return missing(`${at}[${index}].function.name`)
    return typeof fn['arguments'] === 'string' ? undefined : wrongType(`${at}[${index}].function.arguments`, 'a string')
  })
}

/** Each call has its answer before anything else is said, and no answer comes without a call. */
function checkToolTurns(messages: readonly unknown[]): Refusal | undefined {
  let open: string[] = []
  for (const [index, message] of messages.entries()) {
    const role = textOf(message, 'role')
    if (role === 'tool') {
      const id = textOf(message, 'tool_call_id')
      if (id === undefined) return missing(`messages[${index}].tool_call_id`)
      if (!open.includes(id)) {
        return {
          message:
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
          param: `messages[${index}].role`,
        }
      }
      open = open.filter((other) => other !== id)
    } else {
      if (open.length > 0) return unanswered(open, index)
      open = listOf(message, 'tool_calls').map((call) => textOf(call, 'id') ?? '')
    }
  }
  return open.length > 0 ? unanswered(open, messages.length) : undefined
}

function unanswered(ids: readonly string[], index: number): Refusal {
  return {
    message: `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${ids.join(', ')}`,
    param: `messages.[${index}].role`,
  }
}

function checkTools(body: JsonMap): Refusal | undefined {
  const tools = memberOf(body, 'tools')
  if (tools == null) {
    const orphan = ['tool_choice', 'parallel_tool_calls'].find((name) => memberOf(body, name) != null)
    return orphan === undefined
      ? undefined
      : {
          message: `Invalid value for '${orphan}': '${orphan}' is only allowed when 'tools' are specified.`,
          param: orphan,
        }
  }
  if (!Array.isArray(tools)) return wrongType('tools', 'an array of objects')
  if (tools.length === 0) {
    return {
      message: "Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array instead.",
      param: 'tools',
      code: 'empty_array',
    }
  }
  return refusalOfEach(tools, (tool, index) => {
    if (hasType(tool, 'custom')) return undefined
    if (!hasType(tool, 'function')) return missing(`tools[${index}].type`)
    return checkFunction(mapOf(tool, 'function'), `tools[${index}].function`)
  })
}

export function checkFunction(fn: JsonMap, at: string): Refusal | undefined {
  const name = fn['name']
  if (typeof name !== 'string') return missing(`${at}.name`)
  if (!/^[a-zA-Z0-9_-]{1,64}$/.test(name)) {
    const rule = "Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$' of at most 64 characters."
    return {
      message: `Invalid '${at}.name': string does not match pattern. ${rule}`,
      param: `${at}.name`,
      code: 'invalid_value',
    }
  }
  const parameters = fn['parameters']
  if (parameters != null && memberOf(parameters, 'type') !== 'object') {
    const got = String(memberOf(parameters, 'type') ?? 'None')
    return {
      message: `Invalid schema for function '${name}': schema must be a JSON Schema of 'type: "object"', got 'type: "${got}"'.`,
      param: `${at}.parameters`,
      code: 'invalid_function_parameters',
    }
  }
  return fn['strict'] === true && isMap(parameters)
    ? checkStrictSchema(parameters, `function '${name}'`, `${at}.parameters`)
    : undefined
}

function checkResponseFormat(body: JsonMap, messages: readonly unknown[]): Refusal | undefined {
  const format = memberOf(body, 'response_format')
  if (format == null) return undefined
  if (!hasType(format, 'text', 'json_object', 'json_schema')) return missing('response_format.type')
  if (hasType(format, 'json_object')) {
    return messages.some((message) => /json/i.test(joinedText(memberOf(message, 'content'))))
      ? undefined
      : {
          message:
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
          param: 'messages',
        }
  }
  if (!hasType(format, 'json_schema')) return undefined
  const wrapper = mapOf(format, 'json_schema')
  if (typeof wrapper['name'] !== 'string') return missing('response_format.json_schema.name')
  if (!isMap(wrapper['schema'])) return missing('response_format.json_schema.schema')
  const subject = `response_format '${wrapper['name']}'`
  return wrapper['strict'] === true ? checkStrictSchema(wrapper['schema'], subject, 'response_format') : undefined
}

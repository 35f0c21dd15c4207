import { type CallContext, firstRefusal, type Refusal, refusalOfEach } from '../call-context.ts'
import { isMap, type JsonMap, listOf, mapOf, memberOf, numberOf, textOf } from '../json-value.ts'
import { hasType } from '../prompt-turn.ts'
import { checkMessageBlocks } from './check-message-blocks.ts'
import { checkToolPairs } from './check-tool-pairs.ts'

const VERSIONS = ['2023-06-01', '2026-10-21']
const KNOWN = new Set(
  `model max_tokens messages system tools tool_choice thinking output_config stop_sequences stream metadata service_tier speed container
  context_management mcp_servers cache_control inference_geo diagnostics temperature top_p top_k`.split(/\s+/),
)
const TOOL_CHOICES = ['auto', 'any', 'tool', 'none']
const LOWEST_THINKING_BUDGET = 1024

/** What `POST /v1/messages` refuses: https://platform.claude.com/docs/en/api/messages */
export function checkMessages(body: JsonMap, context: CallContext): Refusal | undefined {
  return firstRefusal(
    () => checkVersion(body, context),
    () => (Number.isInteger(memberOf(body, 'max_tokens')) ? undefined : { message: 'max_tokens: Field required' }),
    () =>
      (numberOf(body, 'max_tokens') ?? 0) < 1
        ? { message: 'max_tokens: Input should be greater than or equal to 1' }
        : undefined,
    () => checkCountTokens(body, context),
    () => checkSampling(body, context),
    () => checkThinking(body),
  )
}

/** The part that counting shares: everything but the limits of the answer. */
export function checkCountTokens(body: JsonMap, context: CallContext): Refusal | undefined {
  const messages = listOf(body, 'messages')
  return firstRefusal(
    () => checkVersion(body, context),
    () => refuseUnknownInput(body),
    () => (messages.length === 0 ? { message: 'messages: at least one message is required' } : undefined),
    () => checkRoles(messages),
    () => refusalOfEach(messages, (message, index) => checkMessageBlocks(message, index, messages.length)),
    () => checkVersionedBlocks(messages, context),
    () => checkToolPairs(messages),
    () => refusalOfEach(listOf(body, 'tools'), checkTool),
    () => checkToolChoice(body),
    () => checkSystem(memberOf(body, 'system')),
  )
}

function checkVersion(_body: JsonMap, context: CallContext): Refusal | undefined {
  const version = context.headers['anthropic-version']
  if (version === undefined) return { message: 'anthropic-version: header is required' }
  return VERSIONS.includes(version) ? undefined : { message: `anthropic-version: "${version}" is not a valid version` }
}

function refuseUnknownInput(body: JsonMap): Refusal | undefined {
  const unknown = Object.keys(body).find((name) => !KNOWN.has(name))
  if (unknown !== undefined) return { message: `${unknown}: Extra inputs are not permitted` }
  const extra = Object.keys(mapOf(body, 'metadata')).find((name) => name !== 'user_id')
  return extra === undefined ? undefined : { message: `metadata.${extra}: Extra inputs are not permitted` }
}

/** Turns of the same role in a row are joined by the provider; only the first one has a rule. */
function checkRoles(messages: readonly unknown[]): Refusal | undefined {
  const odd = messages.find((message) => !['user', 'assistant', 'system'].includes(textOf(message, 'role') ?? ''))
  if (odd !== undefined) {
    return {
      message: `messages: Unexpected role "${textOf(odd, 'role')}". Allowed roles are "user", "assistant" or "system".`,
    }
  }
  const first = messages.find((message) => textOf(message, 'role') !== 'system')
  return textOf(first, 'role') === 'user' ? undefined : { message: 'messages: first message must use the "user" role' }
}

/** https://platform.claude.com/docs/en/api/versioning */
function checkVersionedBlocks(messages: readonly unknown[], context: CallContext): Refusal | undefined {
  if (context.headers['anthropic-version'] !== '2026-10-21') return undefined
  return refusalOfEach(messages, (message, index) => {
    const role = textOf(message, 'role')
    return refusalOfEach(listOf(message, 'content'), (block, place) => {
      const at = `messages.${index}.content.${place}`
      if (role === 'assistant' && hasType(block, 'document'))
        return { message: `${at}: document blocks are not allowed in assistant messages` }
      const cited = role === 'user' && hasType(block, 'text') && listOf(block, 'citations').length > 0
      return cited ? { message: `${at}.text.citations: citations are not allowed in user messages` } : undefined
    })
  })
}

function checkSampling(body: JsonMap, context: CallContext): Refusal | undefined {
  const sampling = ['temperature', 'top_p', 'top_k'].find((name) => memberOf(body, name) !== undefined)
  if (sampling !== undefined && context.headers['anthropic-version'] === '2026-10-21') {
    return { message: `${sampling}: this parameter is not supported in version 2026-10-21` }
  }
  const temperature = numberOf(body, 'temperature')
  if (temperature !== undefined && (temperature < 0 || temperature > 1)) return { message: 'temperature: range: 0..1' }
  if (
    temperature !== undefined &&
    numberOf(body, 'top_p') !== undefined &&
    /-4-[1-9]|-[5-9](-|$)/.test(context.modelName)
  ) {
    return { message: '`temperature` and `top_p` cannot both be specified for this model. Please use only one.' }
  }
  const blank = listOf(body, 'stop_sequences').some(
    (sequence) => typeof sequence !== 'string' || sequence.trim() === '',
  )
  return blank ? { message: 'stop_sequences: each stop sequence must contain non-whitespace' } : undefined
}

function checkThinking(body: JsonMap): Refusal | undefined {
  const thinking = mapOf(body, 'thinking')
  if (thinking['type'] !== 'enabled') return undefined
  const budget = numberOf(thinking, 'budget_tokens')
  if (budget === undefined) return { message: 'thinking.enabled.budget_tokens: Field required' }
  if (budget < LOWEST_THINKING_BUDGET) {
    return { message: 'thinking.enabled.budget_tokens: Input should be greater than or equal to 1024' }
  }
  if (budget >= (numberOf(body, 'max_tokens') ?? 0)) {
    return {
      message:
        '`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at https://platform.claude.com/docs/en/build-with-claude/extended-thinking#max-tokens-and-context-window-size',
    }
  }
  if (['any', 'tool'].includes(textOf(mapOf(body, 'tool_choice'), 'type') ?? '')) {
    return { message: 'Thinking may not be enabled when tool_choice forces tool use.' }
  }
  const temperature = numberOf(body, 'temperature')
  if (temperature !== undefined && temperature !== 1)
    return { message: '`temperature` may only be set to 1 when thinking is enabled.' }
  return checkThinkingFirst(listOf(body, 'messages'))
}

/** A turn that called tools has to begin with its thinking. */
function checkThinkingFirst(messages: readonly unknown[]): Refusal | undefined {
  const index = messages.findLastIndex((message) => textOf(message, 'role') === 'assistant')
  const blocks = listOf(messages[index], 'content')
  const open = messages
    .slice(index + 1)
    .some((message) => listOf(message, 'content').some((block) => hasType(block, 'tool_result')))
  if (!open || blocks.length === 0 || hasType(blocks[0], 'thinking', 'redacted_thinking')) return undefined
  return {
    message: `messages.${index}.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`${textOf(blocks[0], 'type')}\`. When \`thinking\` is enabled, a final \`assistant\` message must start with a thinking block (preceeding the lastmost set of \`tool_use\` and \`tool_result\` blocks).`,
  }
}

function checkTool(tool: unknown, index: number): Refusal | undefined {
  const type = textOf(tool, 'type')
  if (type !== undefined && type !== 'custom') return undefined
  const at = `tools.${index}.custom`
  const name = textOf(tool, 'name')
  if (name === undefined) return { message: `${at}.name: Field required` }
  if (!/^[a-zA-Z0-9_-]{1,128}$/.test(name)) {
    return { message: `${at}.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'` }
  }
  const schema = memberOf(tool, 'input_schema')
  if (!isMap(schema)) return { message: `${at}.input_schema: Field required` }
  if (schema['type'] === undefined) return { message: `${at}.input_schema.type: Field required` }
  if (schema['type'] !== 'object') return { message: `${at}.input_schema.type: Input should be 'object'` }
  return ['oneOf', 'allOf', 'anyOf'].some((keyword) => schema[keyword] !== undefined)
    ? { message: `${at}.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level` }
    : undefined
}

function checkToolChoice(body: JsonMap): Refusal | undefined {
  const choice = memberOf(body, 'tool_choice')
  if (choice === undefined) return undefined
  const type = textOf(choice, 'type')
  if (type === undefined || !TOOL_CHOICES.includes(type)) {
    return {
      message:
        "tool_choice: Input should be a valid dictionary or object to extract fields from with 'type' auto, any, tool or none",
    }
  }
  if (listOf(body, 'tools').length === 0) return { message: 'tool_choice: may only be specified while providing tools' }
  if (type !== 'tool') return undefined
  const name = textOf(choice, 'name')
  return listOf(body, 'tools').some((tool) => textOf(tool, 'name') === name)
    ? undefined
    : { message: `tool_choice.tool.name: Tool '${name}' not found in provided tools` }
}

function checkSystem(system: unknown): Refusal | undefined {
  if (system === undefined || typeof system === 'string') return undefined
  if (!Array.isArray(system)) return { message: 'system: Input should be a valid list' }
  return refusalOfEach(system, (block) =>
    hasType(block, 'text') && textOf(block, 'text') !== ''
      ? undefined
      : { message: 'system: text content blocks must be non-empty' },
  )
}

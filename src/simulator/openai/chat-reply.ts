import { type Answer, composeAnswer, fragmentsOf, type Prompt, type ToolCall } from '../answer.ts'
import { type CallContext, TOKENS } from '../call-context.ts'
import { isMap, type JsonMap, listOf, mapOf, memberOf, numberOf, textOf } from '../json-value.ts'
import { hasType, joinedText, partsOf, turnOf } from '../prompt-turn.ts'
import { jsonReply, type Reply, streamReply, type WireEvent } from '../wire-event.ts'
import { openaiHeaders } from './openai-failure.ts'

const SIGNATURE_OF_OPENROUTER = 'bW9jay1vcGVucm91dGVyLXNpZ25hdHVyZQ=='

function readChatPrompt(body: JsonMap): Prompt {
  const turn = turnOf(listOf(body, 'messages'), (message) => textOf(message, 'role') === 'assistant')
  const users = turn.filter((message) => textOf(message, 'role') === 'user')
  const format = memberOf(body, 'response_format')
  const choice = memberOf(body, 'tool_choice')
  return {
    userTexts: users.map((message) => joinedText(memberOf(message, 'content'))),
    toolResults: turn
      .filter((message) => ['tool', 'function'].includes(textOf(message, 'role') ?? ''))
      .map((message) => joinedText(memberOf(message, 'content'))),
    image: users.some((message) => partsOf(memberOf(message, 'content')).some((part) => hasType(part, 'image_url'))),
    tools: listOf(body, 'tools')
      .map((tool) => mapOf(tool, 'function'))
      .map((tool) => ({ name: textOf(tool, 'name') ?? '', schema: memberOf(tool, 'parameters') })),
    toolChoice: readToolChoice(choice, textOf(mapOf(choice, 'function'), 'name')),
    parallelCalls: memberOf(body, 'parallel_tool_calls') !== false,
    json: hasType(format, 'json_object'),
    schema: hasType(format, 'json_schema') ? memberOf(mapOf(format, 'json_schema'), 'schema') : undefined,
    maxTokens: numberOf(body, 'max_completion_tokens') ?? numberOf(body, 'max_tokens'),
  }
}

export function readToolChoice(choice: unknown, name: string | undefined): Prompt['toolChoice'] {
  if (name !== undefined) return { name }
  return choice === 'none' || choice === 'required' ? choice : 'auto'
}

export function replyChat(body: JsonMap, context: CallContext): Reply {
  const answer = composeAnswer(readChatPrompt(body), context)
  const streams = context.tuning.stream ?? memberOf(body, 'stream') === true
  const reply = streams ? streamReply('sse', chatEvents(body, answer, context)) : jsonReply(chatBody(answer, context))
  return { ...reply, headers: { ...reply.headers, ...openaiHeaders(context) } }
}

/** https://platform.openai.com/docs/api-reference/chat/object */
function chatBody(answer: Answer, context: CallContext): unknown {
  const { calls } = answer
  const text = answer.pieces.join('')
  const message = {
    role: 'assistant',
    content: calls.length > 0 ? null : text,
    refusal: null,
    ...(answer.thinking === undefined ? {} : reasoningOf(answer.thinking, context)),
    ...(calls.length === 0 ? {} : { tool_calls: calls.map((call) => chatCall(call, context)) }),
    ...(context.dialect === 'openai' ? { annotations: [] } : {}),
  }
  const choice = { index: 0, message, logprobs: null, ...finishOf(answer, context) }
  return {
    ...envelope('chat.completion', context),
    choices: [choice],
    usage: chatUsage(answer, context),
    ...tail(context),
  }
}

function chatCall(call: ToolCall, context: CallContext): unknown {
  const fn = { name: call.name, arguments: JSON.stringify(call.input) }
  return { id: context.mintId('call_'), type: 'function', function: fn }
}

/** OpenRouter: `reasoning` and `reasoning_details`; the others follow DeepSeek's `reasoning_content`. */
function reasoningOf(text: string, context: CallContext): JsonMap {
  if (context.dialect !== 'openrouter') return { reasoning_content: text }
  const detail = {
    type: 'reasoning.text',
    text,
    signature: SIGNATURE_OF_OPENROUTER,
    format: 'anthropic-claude-v1',
    index: 0,
  }
  return { reasoning: text, reasoning_details: [detail] }
}

function envelope(object: string, context: CallContext): JsonMap {
  return {
    id: context.mintId(context.dialect === 'openrouter' ? 'gen-' : 'chatcmpl-'),
    ...(context.dialect === 'openrouter' ? { provider: 'MockProvider' } : {}),
    object,
    created: Math.floor(context.nowMs / 1000),
    model: context.model,
  }
}

function tail(context: CallContext): JsonMap {
  return context.dialect === 'openai' ? { service_tier: 'default', system_fingerprint: 'fp_mock' } : {}
}

function finishOf(answer: Answer, context: CallContext): JsonMap {
  const reasons = {
    stop: 'stop',
    tools: 'tool_calls',
    length: 'length',
    filter: 'content_filter',
    blocked: 'content_filter',
  }
  const reason = reasons[answer.finish]
  return context.dialect === 'openrouter'
    ? { finish_reason: reason, native_finish_reason: reason.toUpperCase() }
    : { finish_reason: reason }
}

function chatUsage(answer: Answer, context: CallContext): unknown {
  const reasoning = answer.thinking === undefined ? 0 : TOKENS.reasoning
  return {
    prompt_tokens: TOKENS.input,
    completion_tokens: TOKENS.output,
    total_tokens: TOKENS.input + TOKENS.output,
    prompt_tokens_details: { cached_tokens: TOKENS.cached, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: reasoning,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
    ...(context.dialect === 'openrouter'
      ? { cost: 0.00042, is_byok: false, cost_details: { upstream_inference_cost: 0.0004 } }
      : {}),
  }
}

/** https://platform.openai.com/docs/api-reference/chat-streaming */
function chatEvents(body: JsonMap, answer: Answer, context: CallContext): WireEvent[] {
  const head = envelope('chat.completion.chunk', context)
  const options = mapOf(body, 'stream_options')
  const counts = options['include_usage'] === true || context.dialect === 'openrouter'
  const obfuscated = context.dialect === 'openai' && options['include_obfuscation'] !== false
  const chunk = (kind: WireEvent['kind'], delta: unknown, finish: JsonMap = { finish_reason: null }): WireEvent => ({
    kind,
    data: {
      ...head,
      ...tail(context),
      choices: [{ index: 0, delta, logprobs: null, ...finish }],
      ...(counts && context.dialect !== 'openrouter' ? { usage: null } : {}),
      ...(obfuscated && kind === 'content' ? { obfuscation: 'Xy7Qk' } : {}),
    },
  })
  const usage: WireEvent = {
    kind: 'usage',
    data: { ...head, ...tail(context), choices: [], usage: chatUsage(answer, context) },
  }
  return [
    ...preludeOf(context),
    chunk('start', { role: 'assistant', content: answer.calls.length > 0 ? null : '', refusal: null }),
    ...(answer.thinking === undefined ? [] : [chunk('content', reasoningOf(answer.thinking, context))]),
    ...answer.pieces.map((content) => chunk('content', { content })),
    ...callDeltas(answer.calls, context).map((delta) => chunk('content', delta)),
    chunk('finish', {}, finishOf(answer, context)),
    ...(counts ? [usage] : []),
    { kind: 'end', data: '[DONE]' },
  ]
}

/** OpenRouter sends comments while it waits; Azure begins with a chunk without choices. */
function preludeOf(context: CallContext): WireEvent[] {
  if (context.dialect === 'openrouter') {
    const comment: WireEvent = { kind: 'comment', data: 'OPENROUTER PROCESSING' }
    return [comment, comment]
  }
  if (context.dialect !== 'azure') return []
  const results = [{ prompt_index: 0, content_filter_results: { hate: { filtered: false, severity: 'safe' } } }]
  return [
    { kind: 'start', data: { id: '', object: '', created: 0, model: '', choices: [], prompt_filter_results: results } },
  ]
}

/** Parallel calls interleave: both start, then their fragments alternate. */
function callDeltas(calls: readonly ToolCall[], context: CallContext): unknown[] {
  const starts = calls.map((call, index) => ({
    tool_calls: [
      { index, id: context.mintId('call_'), type: 'function', function: { name: call.name, arguments: '' } },
    ],
  }))
  const fragments = calls.map((call) => fragmentsOf(JSON.stringify(call.input)))
  const rounds = Math.max(0, ...fragments.map((list) => list.length))
  const deltas = Array.from({ length: rounds }, (_, round) =>
    fragments.flatMap((list, index) =>
      list[round] === undefined ? [] : [{ tool_calls: [{ index, function: { arguments: list[round] } }] }],
    ),
  )
  return [...starts, ...deltas.flat()]
}

/** Legacy completions: https://platform.openai.com/docs/api-reference/completions */
export function replyCompletion(body: JsonMap, context: CallContext): Reply {
  const prompt = memberOf(body, 'prompt')
  const texts = (Array.isArray(prompt) ? prompt : [prompt]).map((item) => (typeof item === 'string' ? item : ''))
  const answer = composeAnswer(
    {
      ...{
        userTexts: texts,
        toolResults: [],
        image: false,
        tools: [],
        toolChoice: 'none',
        parallelCalls: false,
        json: false,
      },
      maxTokens: numberOf(body, 'max_tokens'),
    },
    context,
  )
  const head = { ...envelope('text_completion', context), id: context.mintId('cmpl-') }
  const usage = {
    prompt_tokens: TOKENS.input,
    completion_tokens: TOKENS.output,
    total_tokens: TOKENS.input + TOKENS.output,
  }
  const choice = (text: string, finish: string | null) => ({ text, index: 0, logprobs: null, finish_reason: finish })
  const reason = String(finishOf(answer, context)['finish_reason'])
  const echo = memberOf(body, 'echo') === true ? texts.join('') : ''
  if (!(context.tuning.stream ?? memberOf(body, 'stream') === true)) {
    return jsonReply({ ...head, choices: [choice(echo + answer.pieces.join(''), reason)], usage })
  }
  const options = memberOf(body, 'stream_options')
  const events: WireEvent[] = [
    ...[echo, ...answer.pieces]
      .filter((text) => text !== '')
      .map((text): WireEvent => ({ kind: 'content', data: { ...head, choices: [choice(text, null)] } })),
    { kind: 'finish', data: { ...head, choices: [choice('', reason)] } },
  ]
  if (isMap(options) && options['include_usage'] === true)
    events.push({ kind: 'usage', data: { ...head, choices: [], usage } })
  return streamReply('sse', [...events, { kind: 'end', data: '[DONE]' }])
}

import { type Answer, composeAnswer, fragmentsOf, type Prompt, type ToolCall } from '../answer.ts'
import { type CallContext, TOKENS } from '../call-context.ts'
import { type JsonMap, listOf, mapOf, memberOf, numberOf, textOf } from '../json-value.ts'
import { hasType, joinedText, partsOf, turnOf } from '../prompt-turn.ts'
import { jsonReply, type Reply, streamReply, type WireEvent } from '../wire-event.ts'
import { readToolChoice } from './chat-reply.ts'
import { openaiHeaders } from './openai-failure.ts'

const ENCRYPTED_REASONING = 'bW9jay1vcGVuYWktZW5jcnlwdGVkLXJlYXNvbmluZw=='

function readResponsesPrompt(body: JsonMap): Prompt {
  const input = memberOf(body, 'input')
  const items = typeof input === 'string' ? [{ role: 'user', content: input }] : listOf(body, 'input')
  const turn = turnOf(items, isFromModel)
  const users = turn.filter((item) => textOf(item, 'role') === 'user')
  const format = mapOf(mapOf(body, 'text'), 'format')
  const choice = memberOf(body, 'tool_choice')
  return {
    userTexts: users.map((item) => joinedText(memberOf(item, 'content'))),
    toolResults: turn
      .filter((item) => hasType(item, 'function_call_output', 'custom_tool_call_output'))
      .map((item) => joinedText(memberOf(item, 'output'))),
    image: users.some((item) => partsOf(memberOf(item, 'content')).some((part) => hasType(part, 'input_image'))),
    tools: listOf(body, 'tools').flatMap((tool) =>
      hasType(tool, 'function') ? [{ name: textOf(tool, 'name') ?? '', schema: memberOf(tool, 'parameters') }] : [],
    ),
    toolChoice: readToolChoice(choice, textOf(choice, 'name')),
    parallelCalls: memberOf(body, 'parallel_tool_calls') !== false,
    json: hasType(format, 'json_object'),
    schema: hasType(format, 'json_schema') ? format['schema'] : undefined,
    maxTokens: numberOf(body, 'max_output_tokens'),
  }
}

function isFromModel(item: unknown): boolean {
  return textOf(item, 'role') === 'assistant' || hasType(item, 'function_call', 'custom_tool_call', 'reasoning')
}

export function replyResponses(body: JsonMap, context: CallContext): Reply {
  const answer = composeAnswer(readResponsesPrompt(body), context)
  const items = outputItems(answer, context)
  const streams = context.tuning.stream ?? memberOf(body, 'stream') === true
  const shell = responseShell(body, context)
  const final = finalResponse(shell, answer, items)
  const reply = streams ? streamReply('sse', responsesEvents(shell, final, items, answer)) : jsonReply(final)
  return { ...reply, headers: { ...reply.headers, ...openaiHeaders(context) } }
}

export function replyInputTokens(): Reply {
  return jsonReply({ object: 'response.input_tokens', input_tokens: TOKENS.input })
}

function responseShell(body: JsonMap, context: CallContext): JsonMap {
  return {
    id: context.mintId('resp_'),
    object: 'response',
    created_at: Math.floor(context.nowMs / 1000),
    status: 'in_progress',
    background: false,
    error: null,
    incomplete_details: null,
    instructions: memberOf(body, 'instructions') ?? null,
    max_output_tokens: memberOf(body, 'max_output_tokens') ?? null,
    model: context.model,
    output: [],
    parallel_tool_calls: memberOf(body, 'parallel_tool_calls') ?? true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    service_tier: 'default',
    store: memberOf(body, 'store') ?? true,
    temperature: memberOf(body, 'temperature') ?? 1,
    text: memberOf(body, 'text') ?? { format: { type: 'text' }, verbosity: 'medium' },
    tool_choice: memberOf(body, 'tool_choice') ?? 'auto',
    tools: listOf(body, 'tools'),
    top_p: 1,
    truncation: 'disabled',
    usage: null,
    metadata: memberOf(body, 'metadata') ?? {},
  }
}

function finalResponse(shell: JsonMap, answer: Answer, output: readonly JsonMap[]): JsonMap {
  const reasons: Partial<Record<Answer['finish'], string>> = {
    length: 'max_output_tokens',
    filter: 'content_filter',
    blocked: 'content_filter',
  }
  const reason = reasons[answer.finish]
  return {
    ...shell,
    status: reason === undefined ? 'completed' : 'incomplete',
    incomplete_details: reason === undefined ? null : { reason },
    output,
    usage: {
      input_tokens: TOKENS.input,
      input_tokens_details: { cached_tokens: TOKENS.cached },
      output_tokens: TOKENS.output,
      output_tokens_details: { reasoning_tokens: answer.thinking === undefined ? 0 : TOKENS.reasoning },
      total_tokens: TOKENS.input + TOKENS.output,
    },
  }
}

function outputItems(answer: Answer, context: CallContext): JsonMap[] {
  const text = answer.pieces.join('')
  const part = { type: 'output_text', annotations: [], logprobs: [], text }
  return [
    ...(answer.thinking === undefined ? [] : [reasoningOutput(answer.thinking, context)]),
    ...(answer.pieces.length === 0
      ? []
      : [{ id: context.mintId('msg_'), type: 'message', status: 'completed', content: [part], role: 'assistant' }]),
    ...answer.calls.map((call) => callOutput(call, context)),
  ]
}

function reasoningOutput(text: string, context: CallContext): JsonMap {
  const summary = [{ type: 'summary_text', text }]
  return { id: context.mintId('rs_'), type: 'reasoning', summary, encrypted_content: ENCRYPTED_REASONING }
}

function callOutput(call: ToolCall, context: CallContext): JsonMap {
  return {
    id: context.mintId('fc_'),
    type: 'function_call',
    status: 'completed',
    arguments: JSON.stringify(call.input),
    call_id: context.mintId('call_'),
    name: call.name,
  }
}

type Draft = Omit<WireEvent, 'data' | 'name'> & { readonly type: string; readonly fields: JsonMap }

/** The whole order of events: https://platform.openai.com/docs/api-reference/responses-streaming */
function responsesEvents(shell: JsonMap, final: JsonMap, items: readonly JsonMap[], answer: Answer): WireEvent[] {
  const drafts: Draft[] = [
    { kind: 'start', type: 'response.created', fields: { response: shell } },
    { kind: 'start', type: 'response.in_progress', fields: { response: shell } },
    ...items.flatMap((item, index) => itemEvents(item, index, answer)),
    { kind: 'finish', type: `response.${String(final['status'])}`, fields: { response: final } },
  ]
  return drafts.map(({ kind, type, fields }, position) => ({
    kind,
    name: type,
    data: { type, sequence_number: position, ...fields },
  }))
}

function itemEvents(item: JsonMap, outputIndex: number, answer: Answer): Draft[] {
  const at = { item_id: item['id'], output_index: outputIndex }
  const added = (open: JsonMap): Draft => ({
    kind: 'start',
    type: 'response.output_item.added',
    fields: { output_index: outputIndex, item: { ...item, ...open } },
  })
  const done: Draft = { kind: 'start', type: 'response.output_item.done', fields: { output_index: outputIndex, item } }
  switch (item['type']) {
    case 'message':
      return [added({ status: 'in_progress', content: [] }), ...textEvents(item, at, answer), done]
    case 'function_call':
      return [added({ status: 'in_progress', arguments: '' }), ...argumentEvents(item, at), done]
    default:
      return [added({ summary: [] }), ...summaryEvents(at, answer.thinking ?? ''), done]
  }
}

function textEvents(item: JsonMap, place: JsonMap, answer: Answer): Draft[] {
  const at = { ...place, content_index: 0 }
  const part = listOf(item, 'content')[0]
  const text = answer.pieces.join('')
  return [
    {
      kind: 'start',
      type: 'response.content_part.added',
      fields: { ...at, part: { type: 'output_text', annotations: [], logprobs: [], text: '' } },
    },
    ...answer.pieces.map(
      (delta): Draft => ({
        kind: 'content',
        type: 'response.output_text.delta',
        fields: { ...at, delta, logprobs: [], obfuscation: 'q1' },
      }),
    ),
    { kind: 'start', type: 'response.output_text.done', fields: { ...at, text, logprobs: [] } },
    { kind: 'start', type: 'response.content_part.done', fields: { ...at, part } },
  ]
}

function argumentEvents(item: JsonMap, at: JsonMap): Draft[] {
  const json = String(item['arguments'])
  return [
    ...fragmentsOf(json).map(
      (delta): Draft => ({ kind: 'content', type: 'response.function_call_arguments.delta', fields: { ...at, delta } }),
    ),
    {
      kind: 'start',
      type: 'response.function_call_arguments.done',
      fields: { ...at, name: item['name'], arguments: json },
    },
  ]
}

function summaryEvents(place: JsonMap, text: string): Draft[] {
  const at = { ...place, summary_index: 0 }
  const part = { type: 'summary_text', text }
  return [
    {
      kind: 'start',
      type: 'response.reasoning_summary_part.added',
      fields: { ...at, part: { type: 'summary_text', text: '' } },
    },
    { kind: 'content', type: 'response.reasoning_summary_text.delta', fields: { ...at, delta: text } },
    { kind: 'start', type: 'response.reasoning_summary_text.done', fields: { ...at, text } },
    { kind: 'start', type: 'response.reasoning_summary_part.done', fields: { ...at, part } },
  ]
}

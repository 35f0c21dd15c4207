import { type Answer, composeAnswer, fragmentsOf, type Prompt } from '../answer.ts'
import { type CallContext, TOKENS } from '../call-context.ts'
import { type JsonMap, listOf, mapOf, memberOf, numberOf, textOf } from '../json-value.ts'
import { hasType, joinedText, partsOf, turnOf } from '../prompt-turn.ts'
import { jsonReply, type Reply, streamReply, type WireEvent } from '../wire-event.ts'
import { anthropicHeaders } from './anthropic-failure.ts'

/** Signatures of this simulator: anything else is refused, as the provider refuses what it has not signed. */
export const ANTHROPIC_SIGNATURE = 'bW9jay1hbnRocm9waWMtc2lnbmF0dXJl'

function readMessagesPrompt(body: JsonMap): Prompt {
  const turn = turnOf(listOf(body, 'messages'), (message) => textOf(message, 'role') === 'assistant')
  const users = turn.filter((message) => textOf(message, 'role') === 'user')
  const blocks = users.flatMap((message) => partsOf(memberOf(message, 'content')))
  const choice = mapOf(body, 'tool_choice')
  const name = textOf(choice, 'name')
  return {
    userTexts: blocks.filter((block) => hasType(block, 'text')).map((block) => textOf(block, 'text') ?? ''),
    toolResults: blocks
      .filter((block) => hasType(block, 'tool_result'))
      .map((block) => joinedText(memberOf(block, 'content'))),
    image: blocks.some((block) => hasType(block, 'image')),
    tools: listOf(body, 'tools')
      .filter((tool) => memberOf(tool, 'input_schema') !== undefined)
      .map((tool) => ({ name: textOf(tool, 'name') ?? '', schema: memberOf(tool, 'input_schema') })),
    toolChoice: toolChoiceOf(choice, name),
    parallelCalls: choice['disable_parallel_tool_use'] !== true,
    json: false,
    schema: memberOf(mapOf(mapOf(body, 'output_config'), 'format'), 'schema'),
    maxTokens: numberOf(body, 'max_tokens'),
  }
}

function toolChoiceOf(choice: JsonMap, name: string | undefined): Prompt['toolChoice'] {
  if (choice['type'] === 'none') return 'none'
  if (choice['type'] === 'any') return 'required'
  return choice['type'] === 'tool' && name !== undefined ? { name } : 'auto'
}

export function replyMessages(body: JsonMap, context: CallContext): Reply {
  const answer = composeAnswer(readMessagesPrompt(body), context)
  const blocks = contentBlocks(answer, context)
  const streams = context.tuning.stream ?? memberOf(body, 'stream') === true
  const message = messageOf(answer, blocks, context)
  const reply = streams ? streamReply('sse', messageEvents(message, blocks, answer)) : jsonReply(message)
  return { ...reply, headers: { ...reply.headers, ...anthropicHeaders(context, context.mintId('req_')) } }
}

export function replyCountTokens(): Reply {
  return jsonReply({ input_tokens: TOKENS.input })
}

function contentBlocks(answer: Answer, context: CallContext): readonly JsonMap[] {
  const text = answer.pieces.join('')
  return [
    ...(answer.thinking === undefined
      ? []
      : [{ type: 'thinking', thinking: answer.thinking, signature: ANTHROPIC_SIGNATURE }]),
    ...(text === '' ? [] : [{ type: 'text', text }]),
    ...answer.calls.map((call) => ({
      type: 'tool_use',
      id: context.mintId('toolu_'),
      name: call.name,
      input: call.input,
    })),
  ]
}

/** `input_tokens` excludes what came from the cache: https://platform.claude.com/docs/en/api/messages */
function usageOf(answer: Answer, outputTokens: number): JsonMap {
  return {
    input_tokens: TOKENS.input - TOKENS.cached,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: TOKENS.cached,
    cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
    output_tokens: outputTokens,
    ...(answer.thinking === undefined ? {} : { output_tokens_details: { thinking_tokens: TOKENS.reasoning } }),
    service_tier: 'standard',
  }
}

function messageOf(answer: Answer, content: readonly JsonMap[], context: CallContext): JsonMap {
  const reasons = { stop: 'end_turn', tools: 'tool_use', length: 'max_tokens', filter: 'refusal', blocked: 'refusal' }
  const refused = answer.finish === 'filter' || answer.finish === 'blocked'
  return {
    id: context.mintId('msg_'),
    type: 'message',
    role: 'assistant',
    model: context.model,
    content,
    stop_reason: reasons[answer.finish],
    stop_sequence: null,
    ...(refused ? { stop_details: { type: 'refusal', category: 'violence', explanation: 'refused' } } : {}),
    usage: usageOf(answer, TOKENS.output),
  }
}

/** https://platform.claude.com/docs/en/build-with-claude/streaming */
function messageEvents(message: JsonMap, blocks: readonly JsonMap[], answer: Answer): WireEvent[] {
  const opened = { ...message, content: [], stop_reason: null, stop_sequence: null, usage: usageOf(answer, 1) }
  const { stop_reason, stop_sequence, stop_details } = message
  const delta = { stop_reason, stop_sequence, ...(stop_details === undefined ? {} : { stop_details }) }
  return [
    named('start', 'message_start', { message: opened }),
    named('start', 'ping', {}),
    ...blocks.flatMap((block, index) => blockEvents(block, index, answer)),
    named('finish', 'message_delta', { delta, usage: usageOf(answer, TOKENS.output) }),
    named('end', 'message_stop', {}),
  ]
}

function named(kind: WireEvent['kind'], type: string, fields: JsonMap): WireEvent {
  return { kind, name: type, data: { type, ...fields } }
}

function blockEvents(block: JsonMap, index: number, answer: Answer): WireEvent[] {
  const delta = (fields: JsonMap) => named('content', 'content_block_delta', { index, delta: fields })
  const start = (content: JsonMap) => named('start', 'content_block_start', { index, content_block: content })
  const stop = named('start', 'content_block_stop', { index })
  switch (block['type']) {
    case 'thinking': {
      const { thinking, signature } = block
      const deltas = [delta({ type: 'thinking_delta', thinking }), delta({ type: 'signature_delta', signature })]
      return [start({ type: 'thinking', thinking: '', signature: '' }), ...deltas, stop]
    }
    case 'tool_use': {
      const fragments = ['', ...fragmentsOf(JSON.stringify(block['input']))]
      const deltas = fragments.map((partial_json) => delta({ type: 'input_json_delta', partial_json }))
      return [start({ ...block, input: {} }), ...deltas, stop]
    }
    default:
      return [
        start({ type: 'text', text: '' }),
        ...answer.pieces.map((text) => delta({ type: 'text_delta', text })),
        stop,
      ]
  }
}

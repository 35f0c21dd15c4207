import { type Answer, composeAnswer, type Prompt } from '../answer.ts'
import { type CallContext, TOKENS } from '../call-context.ts'
import { embeddingOf } from '../embedding-vector.ts'
import { isMap, type JsonMap, listOf, mapOf, memberOf, numberOf, textOf } from '../json-value.ts'
import { turnOf } from '../prompt-turn.ts'
import { jsonReply, type Reply, streamReply, type WireEvent } from '../wire-event.ts'

const DEFAULT_DIMENSIONS = 8

function readOllamaPrompt(body: JsonMap): Prompt {
  const turn = turnOf(listOf(body, 'messages'), (message) => textOf(message, 'role') === 'assistant')
  const users = turn.filter((message) => textOf(message, 'role') === 'user')
  return {
    userTexts: users.map((message) => textOf(message, 'content') ?? ''),
    toolResults: turn
      .filter((message) => textOf(message, 'role') === 'tool')
      .map((message) => textOf(message, 'content') ?? ''),
    image: users.some((message) => listOf(message, 'images').length > 0),
    tools: listOf(body, 'tools')
      .map((tool) => mapOf(tool, 'function'))
      .map((tool) => ({ name: textOf(tool, 'name') ?? '', schema: memberOf(tool, 'parameters') })),
    ...limitsOf(body),
  }
}

function limitsOf(body: JsonMap) {
  const format = memberOf(body, 'format')
  const limit = numberOf(mapOf(body, 'options'), 'num_predict')
  return {
    toolChoice: 'auto',
    parallelCalls: true,
    json: format === 'json',
    schema: isMap(format) ? format : undefined,
    maxTokens: limit !== undefined && limit > 0 ? limit : undefined,
  } as const
}

export function replyOllamaChat(body: JsonMap, context: CallContext): Reply {
  if (listOf(body, 'messages').length === 0) {
    return replyLoad(body, context, { message: { role: 'assistant', content: '' } })
  }
  const answer = composeAnswer(readOllamaPrompt(body), context)
  const calls = answer.calls.map((call, index) => ({ function: { index, name: call.name, arguments: call.input } }))
  const message = (fields: JsonMap) => ({ message: { role: 'assistant', content: '', ...fields } })
  return replyLines(body, answer, context, {
    whole: message({
      content: answer.pieces.join(''),
      ...(answer.thinking === undefined ? {} : { thinking: answer.thinking }),
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
    }),
    lines: [
      ...(answer.thinking === undefined ? [] : [message({ thinking: answer.thinking })]),
      ...answer.pieces.map((content) => message({ content })),
      ...(calls.length === 0 ? [] : [message({ tool_calls: calls })]),
    ],
    last: message({}),
  })
}

export function replyOllamaGenerate(body: JsonMap, context: CallContext): Reply {
  if ((textOf(body, 'prompt') ?? '') === '') return replyLoad(body, context, { response: '' })
  const prompt = {
    userTexts: [textOf(body, 'prompt') ?? ''],
    toolResults: [],
    image: listOf(body, 'images').length > 0,
    tools: [],
  }
  const answer = composeAnswer({ ...prompt, ...limitsOf(body) }, context)
  return replyLines(body, answer, context, {
    whole: {
      response: answer.pieces.join(''),
      ...(answer.thinking === undefined ? {} : { thinking: answer.thinking }),
    },
    lines: [
      ...(answer.thinking === undefined ? [] : [{ response: '', thinking: answer.thinking }]),
      ...answer.pieces.map((response) => ({ response })),
    ],
    last: { response: '' },
  })
}

/** One object, also where a stream was asked for: https://github.com/ollama/ollama/blob/main/docs/api.md#load-a-model */
function replyLoad(body: JsonMap, context: CallContext, empty: JsonMap): Reply {
  const head = { model: context.model, created_at: new Date(context.nowMs).toISOString() }
  return jsonReply({
    ...head,
    ...empty,
    done: true,
    done_reason: memberOf(body, 'keep_alive') === 0 ? 'unload' : 'load',
  })
}

interface Lines {
  readonly whole: JsonMap
  readonly lines: readonly JsonMap[]
  readonly last: JsonMap
}

/** Streams unless told not to: https://github.com/ollama/ollama/blob/main/docs/api.md */
function replyLines(body: JsonMap, answer: Answer, context: CallContext, { whole, lines, last }: Lines): Reply {
  const head = { model: context.model, created_at: new Date(context.nowMs).toISOString() }
  const end = {
    done: true,
    done_reason: answer.finish === 'length' ? 'length' : 'stop',
    total_duration: 5_000_000,
    load_duration: 1_000_000,
    prompt_eval_count: TOKENS.input,
    prompt_eval_duration: 1_000_000,
    eval_count: TOKENS.output,
    eval_duration: 3_000_000,
  }
  if (!(context.tuning.stream ?? memberOf(body, 'stream') !== false)) return jsonReply({ ...head, ...whole, ...end })
  const events: WireEvent[] = lines.map((line) => ({ kind: 'content', data: { ...head, ...line, done: false } }))
  return streamReply('ndjson', [...events, { kind: 'finish', data: { ...head, ...last, ...end } }])
}

export function replyOllamaEmbed(body: JsonMap, context: CallContext): Reply {
  const input = memberOf(body, 'input')
  const texts = Array.isArray(input) ? input : [input]
  const dimensions = numberOf(body, 'dimensions') ?? DEFAULT_DIMENSIONS
  return jsonReply({
    model: context.model,
    embeddings: texts.map((text) => embeddingOf(String(text), dimensions)),
    total_duration: 5_000_000,
    load_duration: 1_000_000,
    prompt_eval_count: TOKENS.input,
  })
}

export function replyOllamaEmbeddings(body: JsonMap): Reply {
  return jsonReply({ embedding: embeddingOf(textOf(body, 'prompt') ?? '', DEFAULT_DIMENSIONS) })
}

import { KorProxyError } from '#errors/korproxy-error.ts'
import type { ReplyContext, StreamDecoder } from '../format.ts'
import type { ChatEvent, ErrorEvent, Usage } from '../ir/chat-event.ts'
import type { JsonObject, JsonValue } from '../ir/chat-request.ts'
import { isJsonObject, jsonText } from '../ir/json-fields.ts'

/** Where the answer stands in a line: `/api/chat` has a message, `/api/generate` has fields of its own. */
type ReadContent = (line: JsonObject) => LineContent
export interface LineContent {
  readonly text: unknown
  readonly thinking: unknown
  readonly calls: unknown
}

/** Reads the lines of a stream; a whole reply is one line. No schema: this runs for every token. */
export class OllamaStreamDecoder implements StreamDecoder {
  readonly #context: ReplyContext
  readonly #readContent: ReadContent
  #started = false
  #calls = 0

  constructor(context: ReplyContext, readContent: ReadContent) {
    this.#context = context
    this.#readContent = readContent
  }

  push({ data }: { readonly data: string }): ChatEvent[] {
    return data.trim() === '' ? [] : this.pushLine(parseLine(data))
  }

  end(): ChatEvent[] {
    return []
  }

  /** A whole reply. @throws KorProxyError KP-PROV-109 when it is none */
  pushReply(body: JsonObject): ChatEvent[] {
    if (body['error'] === undefined && body['done'] !== true) throw brokenLine('a reply that is not done')
    return this.pushLine(body)
  }

  /** @throws KorProxyError KP-PROV-109 when the line is no answer */
  pushLine(line: JsonObject): ChatEvent[] {
    const error = line['error']
    if (error !== undefined) return [readErrorLine(error)]
    const { text, thinking, calls } = this.#readContent(line)
    if (text === undefined && thinking === undefined && calls === undefined && line['done'] !== true) {
      throw brokenLine('a line without content')
    }
    const events: ChatEvent[] = this.#started ? [] : [this.#start(line)]
    if (typeof thinking === 'string' && thinking !== '') {
      events.push({ type: 'thinking-delta', choice: 0, text: thinking })
    }
    if (typeof text === 'string' && text !== '') events.push({ type: 'text-delta', choice: 0, text })
    const logprobs = line['logprobs']
    if (Array.isArray(logprobs)) events.push({ type: 'logprobs', choice: 0, logprobs: { content: logprobs } })
    if (Array.isArray(calls)) for (const call of calls.filter(isJsonObject)) events.push(...this.#call(call, line))
    if (line['done'] === true) events.push(...this.#finish(line))
    return events
  }

  #start(line: JsonObject): ChatEvent {
    this.#started = true
    const model = typeof line['model'] === 'string' ? line['model'] : undefined
    const created = Date.parse(jsonText(line['created_at']))
    const createdAt = Number.isNaN(created) ? undefined : Math.floor(created / 1000)
    return { type: 'start', id: undefined, model, createdAt }
  }

  /** Calls come whole, and often without an id. One is made of the reply's time, which is exact to the nanosecond. */
  #call(call: JsonObject, line: JsonObject): ChatEvent[] {
    const index = this.#calls
    this.#calls += 1
    const called = isJsonObject(call['function']) ? call['function'] : {}
    const { name } = called
    // A client could neither run it nor answer it.
    if (typeof name !== 'string' || name === '') throw brokenLine('a tool call has no name')
    const given = called['arguments'] ?? {}
    const made = `call_${jsonText(line['created_at']).replaceAll(/\D/g, '')}_${index}`
    const id = typeof call['id'] === 'string' && call['id'] !== '' ? call['id'] : made
    const text = typeof given === 'string' ? given : JSON.stringify(given)
    return [
      { type: 'tool-call-start', choice: 0, index, id, name: this.#context.toolNames.get(name) ?? name },
      { type: 'tool-call-delta', choice: 0, index, arguments: text },
      { type: 'tool-call-end', choice: 0, index },
    ]
  }

  /** Ollama leaves `done_reason` out when the connection to the model was lost; `load` and `unload` are no answers. */
  #finish(line: JsonObject): ChatEvent[] {
    const events: ChatEvent[] = [{ type: 'usage', usage: readCounts(line) }]
    const reason = line['done_reason']
    if (reason === 'length') return [...events, { type: 'finish', choice: 0, reason: 'length' }]
    // Ollama filters nothing; a gateway that speaks its format, such as this one, says so when it does.
    if (reason === 'content_filter') return [...events, { type: 'finish', choice: 0, reason: 'content-filter' }]
    if (reason === 'stop' || reason === 'tool_calls') {
      return [...events, { type: 'finish', choice: 0, reason: this.#calls > 0 ? 'tool-calls' : 'stop' }]
    }
    const message = `The answer ended with done_reason "${jsonText(reason ?? '')}".`
    return [...events, { type: 'error', kind: 'upstream', code: 'done_reason', message }]
  }
}

/** A prompt that was cached counts 0 tokens, which says nothing of its length. */
function readCounts(line: JsonObject): Usage {
  const input = line['prompt_eval_count']
  const output = line['eval_count']
  return {
    ...(typeof input === 'number' && input > 0 && { input }),
    ...(typeof output === 'number' && { output }),
  }
}

function readErrorLine(error: JsonValue): ErrorEvent {
  const message = isJsonObject(error) ? jsonText(error['message'] ?? 'unknown') : jsonText(error)
  return { type: 'error', kind: 'upstream', code: undefined, message }
}

function parseLine(data: string): JsonObject {
  let line: unknown
  try {
    line = JSON.parse(data)
  } catch (error) {
    throw brokenLine('a line is not valid JSON', error)
  }
  if (!isJsonObject(line)) throw brokenLine('a line is not an object')
  return line
}

function brokenLine(reason: string, cause?: unknown): KorProxyError {
  return new KorProxyError('KP-PROV-109', { reason }, { cause })
}

import { KorProxyError } from '#errors/korproxy-error.ts'
import type { Frame, ReplyContext, StreamDecoder } from '../format.ts'
import type { ChatEvent, FinishEvent } from '../ir/chat-event.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import { isJsonObject } from '../ir/json-fields.ts'
import { CallTracker } from './call-tracker.ts'
import {
  numberField,
  objectField,
  objectsField,
  readCitation,
  readError,
  readUsage,
  reasoningText,
  stringField,
} from './read-output-item.ts'

/** Reads a Responses stream. Only `response.completed` and `response.incomplete` finish it. @see https://platform.openai.com/docs/api-reference/responses-streaming */
export class ResponsesStreamDecoder implements StreamDecoder {
  readonly #issuer: string
  readonly #calls: CallTracker
  #started = false
  /** Whether deltas of the item in progress came, so that its `done` event repeats nothing. */
  #itemHeard = false
  #anyItem = false
  /** `summary` or `text`: which of a reasoning item's two texts is passed on. */
  #reasoningSource: string | undefined

  constructor(context: ReplyContext) {
    this.#issuer = context.issuer
    this.#calls = new CallTracker(context.toolNames)
  }

  push(frame: Frame): ChatEvent[] {
    if (frame.data === '' || frame.data === '[DONE]') return []
    const event = parseFrame(frame.data)
    const type = stringField(event, 'type') ?? frame.event
    switch (type) {
      case 'response.output_text.delta':
        return this.#textDelta(event)
      case 'response.function_call_arguments.delta':
      case 'response.custom_tool_call_input.delta':
        return this.#calls.delta(event)
      case 'response.reasoning_summary_text.delta':
        return this.#reasoningDelta(event, 'summary')
      case 'response.reasoning_text.delta':
        return this.#reasoningDelta(event, 'text')
      default:
        return this.#pushRare(type, event)
    }
  }

  end(): ChatEvent[] {
    return this.#calls.endAll()
  }

  /** A whole response: its items as if each had just been done. */
  pushResponse(response: JsonObject): ChatEvent[] {
    return [...this.#start(response), ...this.#wholeOutput(response), ...this.#finish(response)]
  }

  #pushRare(type: string | undefined, event: JsonObject): ChatEvent[] {
    switch (type) {
      case 'response.created':
      case 'response.queued':
      case 'response.in_progress':
        return this.#start(objectField(event, 'response') ?? {})
      case 'response.output_item.added':
        return this.#itemAdded(event)
      case 'response.output_item.done':
        return this.#itemDone(objectField(event, 'item') ?? {}, event)
      case 'response.function_call_arguments.done':
      case 'response.custom_tool_call_input.done':
        return this.#calls.complete(event)
      case 'response.reasoning_summary_part.added':
        return this.#summaryPartAdded(event)
      case 'response.refusal.delta':
        this.#itemHeard = true
        return [{ type: 'refusal-delta', choice: 0, text: stringField(event, 'delta') ?? '' }]
      case 'response.output_text.annotation.added':
        return [readCitation(objectField(event, 'annotation'))].filter((citation) => citation !== undefined)
      case 'response.completed':
      case 'response.incomplete':
        return this.#completed({ status: type.slice('response.'.length), ...objectField(event, 'response') })
      case 'response.failed':
        return [readError(objectField(objectField(event, 'response') ?? {}, 'error') ?? {})]
      case 'error':
        return [readError(event)]
      default:
        return []
    }
  }

  #textDelta(event: JsonObject): ChatEvent[] {
    this.#itemHeard = true
    const text = stringField(event, 'delta')
    if (text === undefined) throw brokenReply('response.output_text.delta without delta')
    const logprobs = objectsField(event, 'logprobs')
    const delta: ChatEvent = { type: 'text-delta', choice: 0, text }
    return logprobs.length === 0 ? [delta] : [delta, { type: 'logprobs', choice: 0, logprobs: { content: logprobs } }]
  }

  #reasoningDelta(event: JsonObject, source: string): ChatEvent[] {
    this.#itemHeard = true
    this.#reasoningSource ??= source
    if (this.#reasoningSource !== source) return []
    return [{ type: 'thinking-delta', choice: 0, text: stringField(event, 'delta') ?? '' }]
  }

  #summaryPartAdded(event: JsonObject): ChatEvent[] {
    if ((numberField(event, 'summary_index') ?? 0) === 0 || this.#reasoningSource !== 'summary') return []
    return [{ type: 'thinking-delta', choice: 0, text: '\n\n' }]
  }

  #start(response: JsonObject): ChatEvent[] {
    if (this.#started) return []
    this.#started = true
    const id = stringField(response, 'id')
    const model = stringField(response, 'model')
    return [{ type: 'start', id, model, createdAt: numberField(response, 'created_at') }]
  }

  #itemAdded(event: JsonObject): ChatEvent[] {
    const item = objectField(event, 'item') ?? {}
    this.#anyItem = true
    if (isCall(item)) return this.#calls.start(item, event)
    this.#itemHeard = false
    this.#reasoningSource = undefined
    return []
  }

  #itemDone(item: JsonObject, event: JsonObject): ChatEvent[] {
    this.#anyItem = true
    if (isCall(item)) return this.#calls.done(item, event)
    const heard = this.#itemHeard
    this.#itemHeard = false
    this.#reasoningSource = undefined
    switch (item['type']) {
      case 'message':
        return heard ? [] : wholeMessage(item)
      case 'reasoning':
        return [...(heard ? [] : wholeReasoning(item)), ...this.#sealedReasoning(item)]
      case 'image_generation_call':
        return generatedImage(item)
      default:
        return []
    }
  }

  #sealedReasoning(item: JsonObject): ChatEvent[] {
    const value = stringField(item, 'encrypted_content')
    return value ? [{ type: 'redacted-thinking', choice: 0, data: { issuer: this.#issuer, value } }] : []
  }

  #completed(response: JsonObject): ChatEvent[] {
    return [
      ...this.#start(response),
      ...(this.#anyItem || this.#itemHeard ? [] : this.#wholeOutput(response)),
      ...this.#calls.endAll(),
      ...this.#finish(response),
    ]
  }

  #wholeOutput(response: JsonObject): ChatEvent[] {
    return objectsField(response, 'output').flatMap((item, at) => this.#itemDone(item, { output_index: at }))
  }

  #finish(response: JsonObject): ChatEvent[] {
    const error = objectField(response, 'error')
    const status = stringField(response, 'status')
    if (error !== undefined || status === 'failed') return [readError(error ?? {})]
    const usage = objectField(response, 'usage')
    const events: ChatEvent[] =
      usage === undefined ? [] : [{ type: 'usage', usage: readUsage(usage, response['service_tier']) }]
    const reason = finishReason(response, this.#calls.count)
    if (reason !== undefined) return [...events, { type: 'finish', choice: 0, reason }]
    const message = `The response ended with the status ${status}.`
    return [...events, { type: 'error', kind: 'upstream', code: status, message }]
  }
}

/** Servers that leave the status out mean a completed response. */
function finishReason(response: JsonObject, calls: number): FinishEvent['reason'] | undefined {
  switch (stringField(response, 'status') ?? 'completed') {
    case 'completed':
      return calls > 0 ? 'tool-calls' : 'stop'
    case 'incomplete': {
      const reason = stringField(objectField(response, 'incomplete_details') ?? {}, 'reason')
      return reason === 'content_filter' ? 'content-filter' : 'length'
    }
    default:
      return undefined
  }
}

function isCall(item: JsonObject): boolean {
  return item['type'] === 'function_call' || item['type'] === 'custom_tool_call'
}

function wholeMessage(item: JsonObject): ChatEvent[] {
  return objectsField(item, 'content').flatMap((part): ChatEvent[] => {
    if (part['type'] === 'refusal') {
      return [{ type: 'refusal-delta', choice: 0, text: stringField(part, 'refusal') ?? '' }]
    }
    if (part['type'] !== 'output_text') return []
    const logprobs = objectsField(part, 'logprobs')
    return [
      { type: 'text-delta', choice: 0, text: stringField(part, 'text') ?? '' },
      ...objectsField(part, 'annotations')
        .map(readCitation)
        .filter((citation) => citation !== undefined),
      ...(logprobs.length > 0 ? [{ type: 'logprobs' as const, choice: 0, logprobs: { content: logprobs } }] : []),
    ]
  })
}

function wholeReasoning(item: JsonObject): ChatEvent[] {
  const text = reasoningText(item)
  return text === '' ? [] : [{ type: 'thinking-delta', choice: 0, text }]
}

function generatedImage(item: JsonObject): ChatEvent[] {
  const data = stringField(item, 'result')
  if (!data) return []
  return [{ type: 'image', choice: 0, mediaType: `image/${stringField(item, 'output_format') ?? 'png'}`, data }]
}

function parseFrame(data: string): JsonObject {
  let event: unknown
  try {
    event = JSON.parse(data)
  } catch (error) {
    throw brokenReply('an event is not valid JSON', error)
  }
  if (!isJsonObject(event)) throw brokenReply('an event is not an object')
  return event
}

function brokenReply(reason: string, cause?: unknown): KorProxyError {
  return new KorProxyError('KP-PROV-109', { reason }, { cause })
}

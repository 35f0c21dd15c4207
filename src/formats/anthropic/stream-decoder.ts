import { KorProxyError } from '#errors/korproxy-error.ts'
import type { Frame, ReplyContext, StreamDecoder } from '../format.ts'
import type { ChatEvent } from '../ir/chat-event.ts'
import type { JsonObject, JsonValue } from '../ir/chat-request.ts'
import { isJsonObject, jsonText } from '../ir/json-fields.ts'
import { parseFrame } from '../sse/parse-frame.ts'
import { BlockReader } from './block-reader.ts'
import { readErrorEvent } from './read-error.ts'
import { readFinish } from './read-finish.ts'
import { UsageReader } from './usage.ts'

/** Reads https://platform.claude.com/docs/en/build-with-claude/streaming, one `JSON.parse` a frame. */
export class AnthropicStreamDecoder implements StreamDecoder {
  readonly #blocks: BlockReader
  readonly #usage = new UsageReader()
  #started = false

  constructor(context: ReplyContext) {
    this.#blocks = new BlockReader(context)
  }

  push(frame: Frame): ChatEvent[] {
    const event = readEvent(frame)
    if (event === undefined) return []
    switch (event['type']) {
      case 'message_start':
        return this.#start(object(event, 'message'))
      case 'content_block_start':
        return this.#blocks.start(blockIndex(event), object(event, 'content_block'))
      case 'content_block_delta':
        return this.#blocks.delta(blockIndex(event), object(event, 'delta'))
      case 'content_block_stop':
        return this.#blocks.stop(blockIndex(event))
      case 'message_delta':
        return this.#delta(event)
      case 'error':
        return [readErrorEvent(event)]
      default:
        // Proxies in front of a provider send errors without a type of their own.
        return event['type'] === undefined && isJsonObject(event['error']) ? [readErrorEvent(event)] : []
    }
  }

  end(): ChatEvent[] {
    return this.#blocks.close()
  }

  #start(message: JsonObject): ChatEvent[] {
    const { id, model, usage } = message
    const events: ChatEvent[] = []
    if (!this.#started) {
      this.#started = true
      events.push({
        type: 'start',
        id: typeof id === 'string' ? id : undefined,
        model: typeof model === 'string' ? model : undefined,
        createdAt: undefined,
      })
    }
    return [...events, ...this.#readUsage(usage)]
  }

  #delta(event: JsonObject): ChatEvent[] {
    const usage = this.#readUsage(event['usage'])
    const finish = readFinish(isJsonObject(event['delta']) ? event['delta'] : {}, this.#blocks)
    return finish === undefined ? usage : [...this.#blocks.flush(), ...usage, finish]
  }

  #readUsage(from: JsonValue | undefined): ChatEvent[] {
    const usage = this.#usage.read(from)
    return usage === undefined ? [] : [{ type: 'usage', usage }]
  }
}

/** Undefined for frames that carry nothing: pings, and the `[DONE]` that some compatible servers add. */
function readEvent(frame: Frame): JsonObject | undefined {
  if (frame.event === 'ping' || frame.data === '' || frame.data === '[DONE]') return undefined
  return parseFrame(frame)
}

function object(event: JsonObject, field: string): JsonObject {
  const value = event[field]
  if (isJsonObject(value)) return value
  throw new KorProxyError('KP-PROV-109', { reason: `${jsonText(event['type'])} without ${field}` })
}

function blockIndex(event: JsonObject): number {
  const { index } = event
  if (typeof index === 'number') return index
  throw new KorProxyError('KP-PROV-109', { reason: `${jsonText(event['type'])} without index` })
}

import type { ChatEvent } from '../ir/chat-event.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import { numberField, stringField } from './read-output-item.ts'
import { flatToolName } from './tool-naming.ts'

interface Call {
  readonly index: number
  readonly id: string
  readonly itemId: string | undefined
  readonly outputIndex: number | undefined
  readonly custom: boolean
  /** Arguments (or free text of a custom tool) that were passed on. */
  sent: string
  ended: boolean
}

/**
 * Follows the tool calls of a reply. Some servers give every item the same `output_index`, others change `item_id` from event to event:
 * an event belongs to the call of its item id, else to the last open call at its output index, else to the last open call.
 */
export class CallTracker {
  readonly #toolNames: ReadonlyMap<string, string>
  readonly #calls: Call[] = []

  constructor(toolNames: ReadonlyMap<string, string>) {
    this.#toolNames = toolNames
  }

  get count(): number {
    return this.#calls.length
  }

  /** `response.output_item.added` of a call. */
  start(item: JsonObject, event: JsonObject): ChatEvent[] {
    const index = this.#calls.length
    const itemId = stringField(item, 'id')
    const custom = item['type'] === 'custom_tool_call'
    const outputIndex = numberField(event, 'output_index')
    const id = stringField(item, 'call_id') ?? itemId ?? `call_${index}`
    this.#calls.push({ index, id, itemId, outputIndex, custom, sent: '', ended: false })
    const events: ChatEvent[] = [{ type: 'tool-call-start', choice: 0, index, id, name: this.#nameOf(item) }]
    if (custom) events.push({ type: 'tool-call-delta', choice: 0, index, arguments: '{"input":"' })
    return events
  }

  delta(event: JsonObject): ChatEvent[] {
    const call = this.#find(stringField(event, 'item_id'), numberField(event, 'output_index'))
    const text = stringField(event, 'delta')
    return call === undefined || text === undefined ? [] : pass(call, text)
  }

  /** `…arguments.done` and `…input.done`: what the deltas left out. */
  complete(event: JsonObject): ChatEvent[] {
    const call = this.#find(stringField(event, 'item_id'), numberField(event, 'output_index'))
    return call === undefined ? [] : rest(call, event)
  }

  /** `response.output_item.done` of a call, which may be the first that is heard of it. */
  done(item: JsonObject, event: JsonObject): ChatEvent[] {
    const events: ChatEvent[] = []
    const callId = stringField(item, 'call_id')
    let call = this.#find(stringField(item, 'id'), numberField(event, 'output_index'))
    if (callId !== undefined && call?.id !== callId) call = this.#calls.find((known) => known.id === callId)
    if (call === undefined) {
      events.push(...this.start(item, event))
      call = this.#calls.at(-1)
    }
    if (call === undefined) return events
    if (!call.ended) events.push(...rest(call, item), ...end(call))
    return events
  }

  endAll(): ChatEvent[] {
    return this.#calls.filter((call) => !call.ended).flatMap(end)
  }

  #find(itemId: string | undefined, outputIndex: number | undefined): Call | undefined {
    const open = this.#calls.filter((call) => !call.ended)
    return (
      open.find((call) => call.itemId !== undefined && call.itemId === itemId) ??
      open.findLast((call) => call.outputIndex !== undefined && call.outputIndex === outputIndex) ??
      (outputIndex === undefined ? open.at(-1) : undefined)
    )
  }

  #nameOf(item: JsonObject): string {
    const name = stringField(item, 'name') ?? ''
    const namespace = stringField(item, 'namespace')
    return namespace === undefined ? (this.#toolNames.get(name) ?? name) : flatToolName(namespace, name)
  }
}

/** A custom tool's text becomes the string in `{"input": "…"}`, piece by piece. */
function pass(call: Call, text: string): ChatEvent[] {
  if (text === '') return []
  call.sent += text
  const piece = call.custom ? JSON.stringify(text).slice(1, -1) : text
  return [{ type: 'tool-call-delta', choice: 0, index: call.index, arguments: piece }]
}

function rest(call: Call, whole: JsonObject): ChatEvent[] {
  const text = stringField(whole, call.custom ? 'input' : 'arguments') ?? ''
  return text.startsWith(call.sent) ? pass(call, text.slice(call.sent.length)) : []
}

function end(call: Call): ChatEvent[] {
  if (call.ended) return []
  call.ended = true
  const closing: ChatEvent[] = call.custom
    ? [{ type: 'tool-call-delta', choice: 0, index: call.index, arguments: '"}' }]
    : []
  return [...closing, { type: 'tool-call-end', choice: 0, index: call.index }]
}

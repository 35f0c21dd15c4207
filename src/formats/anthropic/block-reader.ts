import { KorProxyError } from '#errors/korproxy-error.ts'
import type { ReplyContext } from '../format.ts'
import type { ChatEvent } from '../ir/chat-event.ts'
import type { JsonObject, JsonValue } from '../ir/chat-request.ts'
import { isJsonObject } from '../ir/json-fields.ts'

type OpenBlock =
  | { readonly kind: 'text' | 'hidden' }
  | { readonly kind: 'thinking'; signature: string }
  | { readonly kind: 'json'; readonly input: JsonValue | undefined; hasDeltas: boolean }
  | { readonly kind: 'tool'; readonly call: number; readonly input: JsonValue | undefined; hasDeltas: boolean }

const HIDDEN: OpenBlock = { kind: 'hidden' }

/**
 * Turns content blocks, whole or in deltas, into events. Blocks of tools that Anthropic runs itself (`server_tool_use`,
 * `*_tool_result` …) and unknown ones give none: a client must not take them for calls that it should answer.
 */
export class BlockReader {
  readonly #context: ReplyContext
  readonly #open = new Map<number, OpenBlock>()
  #calls = 0
  #clientCalls = 0
  #jsonSeen = false
  /** While a tool stands for the answer, other text waits: in front of the JSON it would spoil it. */
  #heldText = ''

  constructor(context: ReplyContext) {
    this.#context = context
  }

  /** The tool that stands for the answer was called, and no other: to the client no tool was called at all. */
  get onlyJson(): boolean {
    return this.#jsonSeen && this.#clientCalls === 0
  }

  start(index: number, block: JsonObject): ChatEvent[] {
    const events: ChatEvent[] = []
    const open = this.#openBlock(block, events)
    this.#open.set(index, open)
    return events
  }

  delta(index: number, delta: JsonObject): ChatEvent[] {
    switch (delta['type']) {
      case 'text_delta':
        return this.#text(text(delta, 'text'))
      case 'thinking_delta':
        return thinking(text(delta, 'thinking'))
      case 'signature_delta': {
        const open = this.#open.get(index)
        if (open?.kind === 'thinking') open.signature += text(delta, 'signature')
        return []
      }
      case 'citations_delta':
        return isJsonObject(delta['citation']) ? [citation(delta['citation'])] : []
      case 'input_json_delta':
        return this.#input(index, text(delta, 'partial_json'))
      default:
        return []
    }
  }

  stop(index: number): ChatEvent[] {
    const open = this.#open.get(index)
    this.#open.delete(index)
    switch (open?.kind) {
      case 'thinking':
        return this.#signature(open.signature)
      case 'json':
        return open.hasDeltas ? [] : [{ type: 'text-delta', choice: 0, text: JSON.stringify(open.input ?? {}) }]
      case 'tool':
        return [
          ...(open.hasDeltas ? [] : wholeInput(open.call, open.input)),
          { type: 'tool-call-end', choice: 0, index: open.call },
        ]
      default:
        return []
    }
  }

  /** Text that waited for the JSON that never came. */
  flush(): ChatEvent[] {
    const held = this.#heldText
    this.#heldText = ''
    return held === '' || this.#jsonSeen ? [] : [{ type: 'text-delta', choice: 0, text: held }]
  }

  /** Ends of the calls still open when the body ended. */
  close(): ChatEvent[] {
    const events: ChatEvent[] = []
    for (const open of this.#open.values()) {
      if (open.kind === 'tool') events.push({ type: 'tool-call-end', choice: 0, index: open.call })
    }
    this.#open.clear()
    return events
  }

  #openBlock(block: JsonObject, events: ChatEvent[]): OpenBlock {
    switch (block['type']) {
      case 'text':
        events.push(...this.#text(text(block, 'text')), ...citations(block['citations']))
        return { kind: 'text' }
      case 'thinking':
        events.push(...thinking(text(block, 'thinking')))
        return { kind: 'thinking', signature: text(block, 'signature') }
      case 'redacted_thinking':
        events.push({ type: 'redacted-thinking', choice: 0, data: this.#sign(text(block, 'data')) })
        return HIDDEN
      case 'tool_use':
        return this.#openTool(block, events)
      default:
        return HIDDEN
    }
  }

  /** Two answers in one text would be no JSON: the first one counts. */
  #openTool(block: JsonObject, events: ChatEvent[]): OpenBlock {
    const name = text(block, 'name')
    if (name === this.#context.jsonTool) {
      if (this.#jsonSeen) return HIDDEN
      this.#jsonSeen = true
      return { kind: 'json', input: block['input'], hasDeltas: false }
    }
    events.push(...this.flush())
    const call = this.#calls
    this.#calls += 1
    this.#clientCalls += 1
    events.push({
      type: 'tool-call-start',
      choice: 0,
      index: call,
      id: text(block, 'id') || `toolu_${call}`,
      name: this.#context.toolNames.get(name) ?? name,
    })
    return { kind: 'tool', call, input: block['input'], hasDeltas: false }
  }

  #text(delta: string): ChatEvent[] {
    if (delta === '') return []
    if (this.#context.jsonTool === undefined) return [{ type: 'text-delta', choice: 0, text: delta }]
    this.#heldText += delta
    return []
  }

  #input(index: number, fragment: string): ChatEvent[] {
    const open = this.#open.get(index)
    if (open === undefined) {
      throw new KorProxyError('KP-PROV-109', { reason: `arguments for block ${index}, which is not open` })
    }
    if (fragment === '' || (open.kind !== 'tool' && open.kind !== 'json')) return []
    open.hasDeltas = true
    if (open.kind === 'json') return [{ type: 'text-delta', choice: 0, text: fragment }]
    return [{ type: 'tool-call-delta', choice: 0, index: open.call, arguments: fragment }]
  }

  #signature(value: string): ChatEvent[] {
    return value === '' ? [] : [{ type: 'thinking-signature', choice: 0, signature: this.#sign(value) }]
  }

  #sign(value: string): { issuer: string; value: string } {
    return { issuer: this.#context.issuer, value }
  }
}

/** Arguments of a call that came with its block: whole replies, and streams of servers that send no deltas. */
function wholeInput(call: number, input: JsonValue | undefined): ChatEvent[] {
  if (!isJsonObject(input) || Object.keys(input).length === 0) return []
  return [{ type: 'tool-call-delta', choice: 0, index: call, arguments: JSON.stringify(input) }]
}

function text(from: JsonObject, field: string): string {
  const value = from[field]
  return typeof value === 'string' ? value : ''
}

function thinking(delta: string): ChatEvent[] {
  return delta === '' ? [] : [{ type: 'thinking-delta', choice: 0, text: delta }]
}

function citations(list: JsonValue | undefined): ChatEvent[] {
  return Array.isArray(list) ? list.filter(isJsonObject).map(citation) : []
}

/** @see https://platform.claude.com/docs/en/build-with-claude/citations */
function citation(from: JsonObject): ChatEvent {
  const title = text(from, 'title') || text(from, 'document_title')
  return {
    type: 'citation',
    choice: 0,
    url: text(from, 'url') || undefined,
    title: title || undefined,
    citedText: text(from, 'cited_text') || undefined,
  }
}

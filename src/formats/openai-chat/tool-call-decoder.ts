import { KorProxyError } from '#errors/korproxy-error.ts'
import type { ReplyContext } from '../format.ts'
import type { ChatEvent } from '../ir/chat-event.ts'
import type { JsonObject, JsonValue, Signature } from '../ir/chat-request.ts'
import { readSignature } from '../ir/signature.ts'
import { readCount, readObject, readText } from './read-fields.ts'

interface OpenCall {
  readonly index: number
  readonly upstreamIndex: number | undefined
  readonly id: string
  name: string
  /** Arguments that came before the name. */
  held: string
}

/**
 * Puts the tool-call deltas of one choice together. Servers that imitate OpenAI leave out `index` or `id`, number every call 0, repeat the name
 * in each delta or send it late; which call a delta belongs to is decided in `#find`.
 */
export class ToolCallDecoder {
  readonly #context: ReplyContext
  readonly #choice: number
  readonly #calls: OpenCall[] = []
  #replyId = ''

  constructor(context: ReplyContext, choice: number) {
    this.#context = context
    this.#choice = choice
  }

  get sawCalls(): boolean {
    return this.#calls.length > 0
  }

  push(delta: JsonObject, replyId: string, events: ChatEvent[]): void {
    this.#replyId = replyId
    const { name, text } = readFunction(delta)
    const call = this.#find(delta, name) ?? this.#open(delta)
    const wasNamed = call.name !== ''
    if (!wasNamed) {
      if (name === '') {
        call.held += text
        return
      }
      call.name = name
      events.push(this.#start(call, readThoughtSignature(delta)))
    }
    const fragment = wasNamed ? text : `${call.held}${text}`
    if (fragment === '') return
    events.push({ type: 'tool-call-delta', choice: this.#choice, index: call.index, arguments: fragment })
  }

  /** @throws KorProxyError KP-PROV-109 when a call never got a name */
  finish(events: ChatEvent[]): void {
    for (const call of this.#calls) {
      if (call.name === '') throw new KorProxyError('KP-PROV-109', { reason: 'a tool call without a name' })
      events.push({ type: 'tool-call-end', choice: this.#choice, index: call.index })
    }
  }

  #find(delta: JsonObject, name: string): OpenCall | undefined {
    const id = readText(delta['id'])
    const upstreamIndex = readCount(delta['index'])
    if (upstreamIndex === undefined) return this.#findWithoutIndex(id, name)
    const call = this.#calls.findLast((it) => it.upstreamIndex === upstreamIndex)
    // A second call under a used index: another id together with a name, or without ids another name.
    if (call === undefined || name === '' || call.name === '') return call
    const isOther = id === '' ? name !== call.name : id !== call.id
    return isOther ? undefined : call
  }

  /** With an id it is the call of that id, or a new one. Without, a name begins a new call and its absence goes on with the last. */
  #findWithoutIndex(id: string, name: string): OpenCall | undefined {
    if (id !== '') return this.#calls.find((it) => it.id === id)
    return name === '' ? this.#calls.at(-1) : undefined
  }

  #open(delta: JsonObject): OpenCall {
    const index = this.#calls.length
    const id = readText(delta['id']) || this.#mintId(index)
    const call = { index, upstreamIndex: readCount(delta['index']), id, name: '', held: '' }
    this.#calls.push(call)
    return call
  }

  /** The reply's id keeps calls of different turns apart. */
  #mintId(index: number): string {
    const unique = this.#replyId.replaceAll(/[^A-Za-z0-9]/g, '').slice(-24)
    return unique === '' ? `call_${index}` : `call_${unique}_${index}`
  }

  #start({ index, id, name }: OpenCall, signature: Signature | undefined): ChatEvent {
    return {
      type: 'tool-call-start',
      choice: this.#choice,
      index,
      id,
      name: this.#context.toolNames.get(name) ?? name,
      ...(signature !== undefined && { signature }),
    }
  }
}

function readFunction(delta: JsonObject): { readonly name: string; readonly text: string } {
  if (delta['type'] === 'custom') {
    const custom = readObject(delta['custom'])
    return { name: readText(custom['name']), text: readText(custom['input']) }
  }
  const called = readObject(delta['function'])
  return { name: readText(called['name']), text: readArguments(called['arguments']) }
}

/** Some servers send the object instead of its text. */
function readArguments(value: JsonValue | undefined): string {
  if (typeof value === 'string') return value
  return value === undefined || value === null ? '' : JSON.stringify(value)
}

/** Where Gemini's compatible endpoint puts it. @see https://ai.google.dev/gemini-api/docs/thought-signatures */
function readThoughtSignature(delta: JsonObject): Signature | undefined {
  const extra = delta['extra_content']
  if (extra === undefined) return undefined
  const text = readText(readObject(readObject(extra)['google'])['thought_signature'])
  return text === '' ? undefined : readSignature(text, 'gemini')
}

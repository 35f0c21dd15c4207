import type { ChatEvent, ToolCallStart } from '../ir/chat-event.ts'
import type { Signature } from '../ir/chat-request.ts'
import { PartialArguments } from './partial-arguments.ts'
import { brokenReply, type FunctionCallChunk } from './reply-chunk.ts'

/** What the function calls of a reply share. */
export interface CallNaming {
  /** Provider's name → client's name. */
  readonly toolNames: ReadonlyMap<string, string>
  /** An id for a call that came without one. */
  mintId(choice: number, index: number): string
  /** Whether an id is still free in this reply; takes it if so. */
  claimId(id: string): boolean
}

interface OpenCall {
  readonly index: number
  readonly id: string | undefined
  readonly name: string
  readonly pieces: PartialArguments
}

/** Function calls of one candidate: whole ones, and those that come in pieces. */
export class FunctionCallReader {
  readonly #choice: number
  readonly #naming: CallNaming
  #count = 0
  #open: OpenCall | undefined

  constructor(choice: number, naming: CallNaming) {
    this.#choice = choice
    this.#naming = naming
  }

  /** Calls seen so far. */
  get count(): number {
    return this.#count
  }

  /** @throws KorProxyError KP-PROV-109 for a call without a name */
  read(call: FunctionCallChunk, signature: Signature | undefined): ChatEvent[] {
    if (this.#open !== undefined && continues(this.#open, call)) return this.#continue(this.#open, call)
    const closed = this.close()
    const name = call.name ?? ''
    if (name === '') {
      // The last piece of a call may be an empty object, even when the call has ended.
      if (Object.keys(call).length === 0) return closed
      throw brokenReply('a function call has no name')
    }
    const start = this.#start(call, name, signature)
    if (call.partialArgs === undefined && call.willContinue !== true) {
      return [...closed, start, ...this.#finish(start.index, JSON.stringify(call.args ?? {}))]
    }
    this.#open = { index: start.index, id: call.id, name, pieces: new PartialArguments() }
    return [...closed, start, ...this.#continue(this.#open, call)]
  }

  /** Ends a call that was still open. */
  close(): ChatEvent[] {
    const open = this.#open
    this.#open = undefined
    return open === undefined ? [] : this.#finish(open.index, open.pieces.toJson())
  }

  #continue(open: OpenCall, call: FunctionCallChunk): ChatEvent[] {
    for (const piece of call.partialArgs ?? []) open.pieces.add(piece)
    return call.willContinue === true ? [] : this.close()
  }

  #start(call: FunctionCallChunk, name: string, signature: Signature | undefined): ToolCallStart {
    const index = this.#count
    this.#count += 1
    const given = call.id ?? ''
    const id = given !== '' && this.#naming.claimId(given) ? given : this.#naming.mintId(this.#choice, index)
    const clientName = this.#naming.toolNames.get(name) ?? name
    const start: ToolCallStart = { type: 'tool-call-start', choice: this.#choice, index, id, name: clientName }
    return signature === undefined ? start : { ...start, signature }
  }

  #finish(index: number, text: string): ChatEvent[] {
    return [
      { type: 'tool-call-delta', choice: this.#choice, index, arguments: text },
      { type: 'tool-call-end', choice: this.#choice, index },
    ]
  }
}

/** Later pieces have no name; a few servers repeat it. */
function continues(open: OpenCall, call: FunctionCallChunk): boolean {
  const sameName = (call.name ?? '') === '' || call.name === open.name
  return sameName && call.args === undefined && (call.id === undefined || call.id === open.id)
}

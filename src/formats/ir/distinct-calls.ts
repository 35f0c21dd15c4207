import type { Turn } from './chat-request.ts'
import { FreeNames } from './free-names.ts'

/**
 * Gives every tool call of the conversation an id of its own. Some servers number the calls of each reply from 0 or give them all one
 * id; results of calls with one id are told apart by their order. The same history always gets the same ids, none above `maxLength`.
 */
export function distinctCalls(turns: readonly Turn[], maxLength?: number): Turn[] {
  const ids = new CallIds(maxLength)
  return turns.map((turn, at): Turn => {
    if (turn.role === 'assistant') {
      if (turns[at - 1]?.role !== 'assistant') ids.beginReply()
      const parts = turn.parts.map((part) => (part.type === 'tool-call' ? { ...part, id: ids.give(part.id) } : part))
      return { role: 'assistant', parts }
    }
    if (turn.role !== 'tool') return turn
    return { role: 'tool', results: turn.results.map((result) => ({ ...result, callId: ids.answer(result.callId) })) }
  })
}

class CallIds {
  readonly #free: FreeNames
  /** Ids given to the calls of the last reply, by the id they came with. */
  #given = new Map<string, { readonly ids: string[]; answered: number }>()

  constructor(maxLength: number | undefined) {
    this.#free = new FreeNames(maxLength)
  }

  beginReply(): void {
    this.#given = new Map()
  }

  give(id: string): string {
    const free = this.#free.take(id === '' ? 'call' : id)
    const same = this.#given.get(id) ?? { ids: [], answered: 0 }
    same.ids.push(free)
    this.#given.set(id, same)
    return free
  }

  /** A result too many is one more of the last call; one without a call keeps its id. */
  answer(id: string): string {
    const same = this.#given.get(id)
    if (same === undefined) return id
    const free = same.ids[Math.min(same.answered, same.ids.length - 1)]
    same.answered += 1
    return free ?? id
  }
}

import type { ClientContext } from '../format.ts'

/** @see https://platform.claude.com/docs/en/api/messages the characters Anthropic takes in `tool_use.id` */
const TOOL_ID = /^[a-zA-Z0-9_-]+$/

export function messageId(id: string | undefined, context: ClientContext): string {
  return id?.startsWith('msg_') ? id : `msg_${context.newId()}`
}

/** Ids of the tool calls of one reply: the upstream's own where clients can send it back as it is, each only once. */
export class ToolIds {
  readonly #context: ClientContext
  readonly #taken = new Set<string>()

  constructor(context: ClientContext) {
    this.#context = context
  }

  take(id: string): string {
    const free = TOOL_ID.test(id) && !this.#taken.has(id) ? id : `toolu_${this.#context.newId()}`
    this.#taken.add(free)
    return free
  }
}

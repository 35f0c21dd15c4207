import type { AssistantPart, ToolResult, Turn } from './chat-request.ts'

/** Turns in the making. Neighbouring results become one turn, and so may the parts of an assistant, in linear time however long the list. */
export class TurnList {
  readonly turns: Turn[] = []
  /** Parts of the last turn, where more may come. */
  #results: ToolResult[] | undefined
  #parts: AssistantPart[] | undefined

  get isEmpty(): boolean {
    return this.turns.length === 0
  }

  push(turn: Turn): void {
    this.#results = undefined
    this.#parts = undefined
    this.turns.push(turn)
  }

  addResult(result: ToolResult): void {
    if (this.#results === undefined) {
      const results: ToolResult[] = []
      this.push({ role: 'tool', results })
      this.#results = results
    }
    this.#results.push(result)
  }

  /** The parts of the assistant's turn that is being made; a new one if the last turn is somebody else's. */
  assistantParts(): AssistantPart[] {
    return this.#parts ?? this.beginAssistant()
  }

  beginAssistant(): AssistantPart[] {
    const parts: AssistantPart[] = []
    this.push({ role: 'assistant', parts })
    this.#parts = parts
    return parts
  }
}

import type { JsonObject } from '../ir/chat-request.ts'
import { hasWholeArguments } from '../ir/has-whole-arguments.ts'
import { deltaPrefix, type EventWriter } from './event-writer.ts'
import { callItem, customCallInput, functionCallArguments, type ItemStatus } from './reply-items.ts'
import type { WireToolName } from './tool-naming.ts'

interface CallStart {
  readonly id: string
  readonly outputIndex: number
  readonly callId: string
  readonly wireName: WireToolName
}

/** A call while its arguments arrive. Those of a custom tool are held back: its text is known when their JSON is whole. */
export class CallDraft {
  readonly #writer: EventWriter
  readonly #call: CallStart
  readonly #prefix: string
  #arguments = ''

  constructor(writer: EventWriter, call: CallStart) {
    this.#writer = writer
    this.#call = call
    this.#prefix = deltaPrefix(this.#place())
  }

  get outputIndex(): number {
    return this.#call.outputIndex
  }

  get isWhole(): boolean {
    return hasWholeArguments(this.#arguments)
  }

  open(): string {
    const item = this.#item('in_progress')
    return this.#writer.write('response.output_item.added', { output_index: this.outputIndex, item })
  }

  addArguments(text: string): string {
    this.#arguments += text
    if (this.#call.wireName.custom || text === '') return ''
    return this.#writer.writeDelta('response.function_call_arguments.delta', this.#prefix, text, '')
  }

  close(status: ItemStatus): { readonly text: string; readonly item: JsonObject } {
    const arrived = this.#call.wireName.custom ? this.#writeInput(status) : this.#writeArguments(status)
    const item = this.#item(status)
    const done = this.#writer.write('response.output_item.done', { output_index: this.outputIndex, item })
    return { text: arrived + done, item }
  }

  #writeArguments(status: ItemStatus): string {
    const missing = this.#arguments === '' ? this.addArguments(functionCallArguments('', status)) : ''
    const { name } = this.#call.wireName
    const fields = { ...this.#place(), name, arguments: this.#arguments }
    return missing + this.#writer.write('response.function_call_arguments.done', fields)
  }

  #writeInput(status: ItemStatus): string {
    const input = customCallInput(this.#arguments, status)
    return (
      this.#writer.writeDelta('response.custom_tool_call_input.delta', this.#prefix, input, '') +
      this.#writer.write('response.custom_tool_call_input.done', { ...this.#place(), input })
    )
  }

  #item(status: ItemStatus): JsonObject {
    const { id, callId, wireName } = this.#call
    return callItem(id, status, callId, { wireName, arguments: this.#arguments })
  }

  #place(): JsonObject {
    return { item_id: this.#call.id, output_index: this.outputIndex }
  }
}

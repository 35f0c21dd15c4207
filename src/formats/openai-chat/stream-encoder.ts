import type { ClientContext, ClientError, StreamEncoder } from '../format.ts'
import type { ChatEvent, StartEvent, Usage } from '../ir/chat-event.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import { encodeError } from '../openai-shapes/encode-error.ts'
import { writeSseEvent } from '../sse/write-event.ts'
import { ChoiceEncoder } from './choice-encoder.ts'
import { replyHead } from './reply-head.ts'
import { writeUsage } from './write-usage.ts'

const NO_START = { id: undefined, model: undefined, createdAt: undefined }

/** Writes `chat.completion.chunk` events. @see https://platform.openai.com/docs/api-reference/chat-streaming */
export function streamEncoder(context: ClientContext): StreamEncoder {
  return new ChatStreamEncoder(context)
}

class ChatStreamEncoder implements StreamEncoder {
  readonly #context: ClientContext
  readonly #choices = new Map<number, ChoiceEncoder>()
  /** The same in every chunk: made once, up to the list of choices. */
  #head: string | undefined
  #usage: Usage | undefined

  constructor(context: ClientContext) {
    this.#context = context
  }

  push(event: ChatEvent): string {
    switch (event.type) {
      case 'start':
        this.#start(event)
        return ''
      case 'usage':
        this.#usage = { ...this.#usage, ...event.usage }
        return ''
      // The pipeline answers it with `fail`.
      case 'error':
        return ''
      case 'text-delta':
      case 'thinking-delta':
      case 'thinking-signature':
      case 'redacted-thinking':
      case 'refusal-delta':
      case 'tool-call-start':
      case 'tool-call-delta':
      case 'tool-call-end':
      case 'image':
      case 'citation':
      case 'logprobs':
      case 'finish': {
        let text = ''
        for (const choice of this.#choice(event.choice).push(event)) text += this.#chunk(JSON.stringify(choice), '')
        return text
      }
    }
  }

  end(): string {
    const isUsageDue = this.#context.request.includeUsage && this.#usage !== undefined
    const usage = isUsageDue
      ? this.#chunk('', `,"usage":${JSON.stringify(writeUsage(this.#usage ?? {}, this.#context))}`)
      : ''
    return `${usage}${writeSseEvent(undefined, '[DONE]')}`
  }

  fail(error: ClientError): string {
    return writeSseEvent(undefined, JSON.stringify(encodeError(error).body))
  }

  #start(start: Pick<StartEvent, 'id' | 'model' | 'createdAt'>): string {
    const { id, created, model } = replyHead(start, this.#context)
    const head: JsonObject = { id, object: 'chat.completion.chunk', created, model }
    this.#head = `${JSON.stringify(head).slice(0, -1)},"choices":[`
    return this.#head
  }

  #chunk(choice: string, rest: string): string {
    return writeSseEvent(undefined, `${this.#head ?? this.#start(NO_START)}${choice}]${rest}}`)
  }

  #choice(index: number): ChoiceEncoder {
    let choice = this.#choices.get(index)
    if (choice === undefined) {
      choice = new ChoiceEncoder(this.#context.request, index)
      this.#choices.set(index, choice)
    }
    return choice
  }
}

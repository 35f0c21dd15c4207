import type { ClientContext, ClientError, StreamEncoder } from '../format.ts'
import type { ChatEvent, Usage } from '../ir/chat-event.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import { writeUsage } from '../openai-chat/write-usage.ts'
import { encodeError } from '../openai-shapes/encode-error.ts'
import { writeSseEvent } from '../sse/write-event.ts'
import { completionHead } from './completion-head.ts'
import { writeCompletionFinish } from './write-completion-finish.ts'

const NO_START = { id: undefined, model: undefined, createdAt: undefined }

export function completionStreamEncoder(context: ClientContext): StreamEncoder {
  return new CompletionStreamEncoder(context)
}

class CompletionStreamEncoder implements StreamEncoder {
  readonly #context: ClientContext
  #head: JsonObject | undefined
  #usage: Usage | undefined

  constructor(context: ClientContext) {
    this.#context = context
  }

  push(event: ChatEvent): string {
    switch (event.type) {
      case 'start':
        this.#head = completionHead(event, this.#context)
        return ''
      case 'usage':
        this.#usage = { ...this.#usage, ...event.usage }
        return ''
      case 'text-delta':
      case 'refusal-delta':
        return this.#chunk([{ text: event.text, index: event.choice, logprobs: null, finish_reason: null }], {})
      case 'finish': {
        const finish_reason = writeCompletionFinish(event.reason)
        return this.#chunk([{ text: '', index: event.choice, logprobs: null, finish_reason }], {})
      }
      // The format is text alone; an error event is answered by the pipeline with `fail`.
      case 'thinking-delta':
      case 'thinking-signature':
      case 'redacted-thinking':
      case 'tool-call-start':
      case 'tool-call-delta':
      case 'tool-call-end':
      case 'image':
      case 'citation':
      case 'logprobs':
      case 'error':
        return ''
    }
  }

  end(): string {
    const isUsageDue = this.#context.request.includeUsage && this.#usage !== undefined
    const usage = isUsageDue ? this.#chunk([], { usage: writeUsage(this.#usage ?? {}, this.#context) }) : ''
    return `${usage}${writeSseEvent(undefined, '[DONE]')}`
  }

  fail(error: ClientError): string {
    return writeSseEvent(undefined, JSON.stringify(encodeError(error).body))
  }

  #chunk(choices: readonly JsonObject[], rest: JsonObject): string {
    this.#head ??= completionHead(NO_START, this.#context)
    return writeSseEvent(undefined, JSON.stringify({ ...this.#head, choices, ...rest }))
  }
}

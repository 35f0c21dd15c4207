import { KorProxyError } from '#errors/korproxy-error.ts'
import type { ReplyContext } from '../format.ts'
import type { ChatEvent } from '../ir/chat-event.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import { isJsonObject } from '../ir/json-fields.ts'
import { ChoiceDecoder } from './choice-decoder.ts'
import { readError } from './read-error.ts'
import { readCount, readObject, readObjects, readText } from './read-fields.ts'
import { readUsage } from './read-usage.ts'

/** What `n` may ask for. @see https://platform.openai.com/docs/api-reference/chat/create#chat_create-n */
const MAX_CHOICES = 128

/** Reads chunks of a stream, and a whole reply as if it were one chunk. */
export class ChunkDecoder {
  readonly #context: ReplyContext
  readonly #choices = new Map<number, ChoiceDecoder>()
  #isStarted = false
  #isFailed = false

  constructor(context: ReplyContext) {
    this.#context = context
  }

  /** An error ends the reply: nothing after it counts, least of all a finish reason. @throws KorProxyError KP-PROV-109 */
  push(chunk: JsonObject): ChatEvent[] {
    const events: ChatEvent[] = []
    if (this.#isFailed) return events
    const { error } = chunk
    if (error !== undefined && error !== null) {
      this.#isFailed = true
      return [readError(error)]
    }
    const choices = readObjects(chunk['choices'])
    const usage = findUsage(chunk, choices)
    // Azure begins with a chunk that has neither, nor an id.
    if (!this.#isStarted && (choices.length > 0 || usage !== undefined)) this.#start(chunk, events)
    for (const choice of choices) this.#readChoice(choice, readText(chunk['id']), events)
    if (usage !== undefined) events.push({ type: 'usage', usage: readUsage(usage, chunk['service_tier']) })
    this.#isFailed = events.some((event) => event.type === 'error')
    return events
  }

  end(): ChatEvent[] {
    const events: ChatEvent[] = []
    if (!this.#isFailed) for (const choice of this.#choices.values()) choice.abandon(events)
    return events
  }

  #start(chunk: JsonObject, events: ChatEvent[]): void {
    this.#isStarted = true
    events.push({
      type: 'start',
      id: readText(chunk['id']) || undefined,
      model: readText(chunk['model']) || undefined,
      createdAt: readCount(chunk['created']) || undefined,
    })
  }

  #readChoice(choice: JsonObject, replyId: string, events: ChatEvent[]): void {
    const index = readCount(choice['index']) ?? 0
    if (index >= MAX_CHOICES || !Number.isInteger(index)) {
      throw new KorProxyError('KP-PROV-109', { reason: `a choice has the index ${index}` })
    }
    let decoder = this.#choices.get(index)
    if (decoder === undefined) {
      decoder = new ChoiceDecoder(this.#context, index)
      this.#choices.set(index, decoder)
    }
    decoder.push(readObject(choice['delta'] ?? choice['message']), replyId, events)
    const { logprobs } = choice
    if (isJsonObject(logprobs)) events.push({ type: 'logprobs', choice: index, logprobs })
    const reason = readText(choice['finish_reason'])
    if (reason !== '') decoder.finish(reason, events)
  }
}

/** Kimi has it in the choice, Groq used to have it in an object of its own. */
export function findUsage(chunk: JsonObject, choices: readonly JsonObject[]): JsonObject | undefined {
  const usage = chunk['usage'] ?? choices[0]?.['usage'] ?? readObject(chunk['x_groq'])['usage']
  return isJsonObject(usage) ? usage : undefined
}

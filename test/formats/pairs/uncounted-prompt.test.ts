import t from 'tap'
import type { ChatFormatName } from '#formats/format.ts'
import type { ChatEvent } from '#formats/ir/chat-event.ts'
import { collectReply } from '#formats/ir/collect-reply.ts'
import { ollamaChat } from '#formats/ollama-chat/ollama-chat.ts'
import { CHAT_FORMATS } from '#formats/registry.ts'
import { clientContext } from './relay.ts'

const REQUEST = ollamaChat.decodeRequest({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] }, {})

/** As from Ollama, whose model had the prompt in its cache. */
const EVENTS: readonly ChatEvent[] = [
  { type: 'start', id: undefined, model: 'm', createdAt: 1 },
  { type: 'text-delta', choice: 0, text: 'Hello' },
  { type: 'usage', usage: { output: 2 } },
  { type: 'finish', choice: 0, reason: 'stop' },
]

/** The estimate is 5. */
const COUNTS: Readonly<Record<ChatFormatName, readonly string[]>> = {
  'openai-chat': ['"prompt_tokens":5', '"total_tokens":7'],
  'openai-completions': ['"prompt_tokens":5', '"total_tokens":7'],
  'openai-responses': ['"input_tokens":5', '"total_tokens":7'],
  anthropic: ['"input_tokens":5', '"output_tokens":2'],
  gemini: ['"promptTokenCount":5', '"totalTokenCount":7'],
  'ollama-chat': ['"prompt_eval_count":5', '"eval_count":2'],
  'ollama-generate': ['"prompt_eval_count":5', '"eval_count":2'],
}

for (const [name, counts] of Object.entries(COUNTS)) {
  t.test(`R3.4 ${name}: a prompt that the provider did not count is estimated, and the total adds up`, (t) => {
    // The table's keys are the formats' names.
    const format = CHAT_FORMATS[name as ChatFormatName]
    const whole = JSON.stringify(format.encodeReply(collectReply(EVENTS), clientContext(REQUEST)))
    const encoder = format.streamEncoder(clientContext(REQUEST))
    const streamed = EVENTS.map((event) => encoder.push(event)).join('') + encoder.end()
    for (const count of counts) {
      t.match(whole, count, 'whole')
      t.match(streamed, count, 'streamed')
    }
    t.end()
  })
}

t.test('R3.4 without any count of the provider there is none', (t) => {
  const events = EVENTS.filter(({ type }) => type !== 'usage')
  const encode = (name: ChatFormatName): unknown =>
    CHAT_FORMATS[name].encodeReply(collectReply(events), clientContext(REQUEST))
  t.notHas(encode('openai-chat'), { usage: {} })
  t.match(encode('openai-responses'), { usage: null })
  t.notHas(encode('gemini'), { usageMetadata: {} })
  t.end()
})

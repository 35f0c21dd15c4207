import Anthropic from '@anthropic-ai/sdk'
import { type ChatClient, CITY_SCHEMA, type Connection, PERSON_SCHEMA, PNG, runTool, TOOLS } from './chat-client.ts'

export function anthropicOf({ url, key }: Connection): Anthropic {
  return new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0 })
}

const tools = TOOLS.map((tool) => ({ ...tool, input_schema: { ...CITY_SCHEMA, required: ['city'] } }))
const user = (content: Anthropic.MessageParam['content']): Anthropic.MessageParam => ({ role: 'user', content })

async function toolTurn(prompt: string, ask: (messages: Anthropic.MessageParam[]) => Promise<Anthropic.Message>) {
  const first = await ask([user(prompt)])
  const calls = first.content.flatMap((block) => (block.type === 'tool_use' ? [block] : []))
  const results = calls.map(({ id, name, input }) => ({
    type: 'tool_result' as const,
    tool_use_id: id,
    content: runTool(name, input),
  }))
  const second = await ask([user(prompt), { role: 'assistant', content: first.content }, user(results)])
  return {
    calls: calls.map(({ name, input }) => [name, input] as const),
    finish: first.stop_reason,
    text: textOf(second),
  }
}

function textOf(message: Anthropic.Message): string {
  return message.content.map((block) => (block.type === 'text' ? block.text : '')).join('')
}

function answerOf(message: Anthropic.Message) {
  const { input_tokens, cache_read_input_tokens, output_tokens } = message.usage
  return {
    text: textOf(message),
    finish: message.stop_reason,
    input: input_tokens + (cache_read_input_tokens ?? 0),
    output: output_tokens,
  }
}

export const anthropicMessages: ChatClient = {
  name: '@anthropic-ai/sdk',
  words: { stop: 'end_turn', tools: 'tool_use' },
  overloadedStatus: 529,
  text: async (connection, model) =>
    answerOf(await anthropicOf(connection).messages.create({ model, max_tokens: 1000, messages: [user('Hi')] })),
  stream: async (connection, model) =>
    answerOf(
      await anthropicOf(connection)
        .messages.stream({ model, max_tokens: 1000, messages: [user('Hi')] })
        .finalMessage(),
    ),
  tools: (connection, model, prompt) =>
    toolTurn(prompt, (messages) =>
      anthropicOf(connection).messages.create({ model, max_tokens: 1000, messages, tools }),
    ),
  streamTools: (connection, model, prompt) =>
    toolTurn(prompt, (messages) =>
      anthropicOf(connection).messages.stream({ model, max_tokens: 1000, messages, tools }).finalMessage(),
    ),
  async image(connection, model) {
    const source = { type: 'base64' as const, media_type: 'image/png' as const, data: PNG }
    const content = [
      { type: 'image' as const, source },
      { type: 'text' as const, text: 'What is this?' },
    ]
    return textOf(await anthropicOf(connection).messages.create({ model, max_tokens: 1000, messages: [user(content)] }))
  },
  async person(connection, model) {
    const message = await anthropicOf(connection).messages.create({
      model,
      max_tokens: 1000,
      messages: [user('Somebody')],
      output_config: { format: { type: 'json_schema', schema: { ...PERSON_SCHEMA } } },
    })
    return JSON.parse(textOf(message))
  },
}

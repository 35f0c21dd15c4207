import OpenAI from 'openai'
import { type ChatClient, CITY_SCHEMA, type Connection, PERSON_SCHEMA, PNG, runTool, TOOLS } from './chat-client.ts'

export function openaiOf({ url, key }: Connection): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 })
}

const user = (content: string): OpenAI.ChatCompletionUserMessageParam => ({ role: 'user', content })
const tools = TOOLS.map((tool) => ({
  type: 'function' as const,
  function: { ...tool, parameters: { ...CITY_SCHEMA } },
}))

type Ask = (messages: OpenAI.ChatCompletionMessageParam[]) => Promise<OpenAI.ChatCompletion.Choice | undefined>

async function toolTurn(prompt: string, ask: Ask) {
  const first = await ask([user(prompt)])
  const calls = (first?.message.tool_calls ?? []).flatMap((call) =>
    call.type === 'function'
      ? [{ id: call.id, name: call.function.name, input: JSON.parse(call.function.arguments) }]
      : [],
  )
  const second = await ask([
    user(prompt),
    ...(first === undefined ? [] : [first.message]),
    ...calls.map(({ id, name, input }) => ({ role: 'tool' as const, tool_call_id: id, content: runTool(name, input) })),
  ])
  return {
    calls: calls.map(({ name, input }) => [name, input] as const),
    finish: first?.finish_reason,
    text: second?.message.content ?? '',
  }
}

export const openaiChat: ChatClient = {
  name: 'openai chat.completions',
  words: { stop: 'stop', tools: 'tool_calls' },
  async text(connection, model) {
    const reply = await openaiOf(connection).chat.completions.create({ model, messages: [user('Hi')] })
    const [choice] = reply.choices
    return {
      text: choice?.message.content ?? '',
      finish: choice?.finish_reason,
      input: reply.usage?.prompt_tokens,
      output: reply.usage?.completion_tokens,
    }
  },
  async stream(connection, model) {
    const stream = await openaiOf(connection).chat.completions.create({
      model,
      messages: [user('Hi')],
      stream: true,
      stream_options: { include_usage: true },
    })
    let text = ''
    let finish: unknown
    let usage: OpenAI.CompletionUsage | undefined
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? ''
      finish = chunk.choices[0]?.finish_reason ?? finish
      usage = chunk.usage ?? usage
    }
    return { text, finish, input: usage?.prompt_tokens, output: usage?.completion_tokens }
  },
  tools: (connection, model, prompt) =>
    toolTurn(prompt, async (messages) => {
      const reply = await openaiOf(connection).chat.completions.create({ model, messages, tools })
      return reply.choices[0]
    }),
  streamTools: (connection, model, prompt) =>
    toolTurn(prompt, async (messages) => {
      const stream = openaiOf(connection).chat.completions.stream({ model, messages, tools })
      return (await stream.finalChatCompletion()).choices[0]
    }),
  async image(connection, model) {
    const image = { type: 'image_url' as const, image_url: { url: `data:image/png;base64,${PNG}` } }
    const reply = await openaiOf(connection).chat.completions.create({
      model,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'What is this?' }, image] }],
    })
    return reply.choices[0]?.message.content ?? ''
  },
  async person(connection, model) {
    const reply = await openaiOf(connection).chat.completions.parse({
      model,
      messages: [user('Somebody')],
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'person', strict: true, schema: { ...PERSON_SCHEMA } },
      },
    })
    return JSON.parse(reply.choices[0]?.message.content ?? 'null')
  },
}

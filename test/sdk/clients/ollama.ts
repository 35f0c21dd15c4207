import { type ChatResponse, type Message, Ollama } from 'ollama'
import { type ChatClient, CITY_SCHEMA, type Connection, PERSON_SCHEMA, PNG, runTool, TOOLS } from './chat-client.ts'

export function ollamaOf({ url, key }: Connection): Ollama {
  return new Ollama({ host: url, headers: { authorization: `Bearer ${key}` } })
}

const tools = TOOLS.map((tool) => ({
  type: 'function',
  function: { ...tool, parameters: { ...CITY_SCHEMA, required: ['city'] } },
}))
const user = (content: string): Message => ({ role: 'user', content })

async function toolTurn(prompt: string, ask: (messages: Message[]) => Promise<ChatResponse[]>) {
  const first = await ask([user(prompt)])
  const calls = first.flatMap((line) => line.message.tool_calls ?? []).map((call) => call.function)
  const results = calls.map(({ name, arguments: input }) => ({
    role: 'tool',
    tool_name: name,
    content: runTool(name, input),
  }))
  const assistant: Message = {
    role: 'assistant',
    content: first.map((line) => line.message.content).join(''),
    tool_calls: first.flatMap((line) => line.message.tool_calls ?? []),
  }
  const second = await ask([user(prompt), assistant, ...results])
  return {
    calls: calls.map(({ name, arguments: input }) => [name, input] as const),
    finish: first.at(-1)?.done_reason,
    text: second.map((line) => line.message.content).join(''),
  }
}

function answerOf(lines: readonly ChatResponse[]) {
  const last = lines.at(-1)
  return {
    text: lines.map((line) => line.message.content).join(''),
    finish: last?.done_reason,
    input: last?.prompt_eval_count,
    output: last?.eval_count,
  }
}

async function streamed(stream: Promise<AsyncIterable<ChatResponse>>): Promise<ChatResponse[]> {
  const lines: ChatResponse[] = []
  for await (const line of await stream) lines.push(line)
  return lines
}

export const ollamaChat: ChatClient = {
  name: 'ollama',
  words: { stop: 'stop', tools: 'stop' },
  text: async (connection, model) => answerOf([await ollamaOf(connection).chat({ model, messages: [user('Hi')] })]),
  stream: async (connection, model) =>
    answerOf(await streamed(ollamaOf(connection).chat({ model, messages: [user('Hi')], stream: true }))),
  tools: (connection, model, prompt) =>
    toolTurn(prompt, async (messages) => [await ollamaOf(connection).chat({ model, messages, tools })]),
  streamTools: (connection, model, prompt) =>
    toolTurn(prompt, (messages) => streamed(ollamaOf(connection).chat({ model, messages, tools, stream: true }))),
  async image(connection, model) {
    const messages = [{ ...user('What is this?'), images: [PNG] }]
    return (await ollamaOf(connection).chat({ model, messages })).message.content
  },
  async person(connection, model) {
    const reply = await ollamaOf(connection).chat({ model, messages: [user('Somebody')], format: PERSON_SCHEMA })
    return JSON.parse(reply.message.content)
  },
}

import {
  type AIMessage,
  type AIMessageChunk,
  type BaseMessage,
  HumanMessage,
  ToolMessage,
  type UsageMetadata,
} from '@langchain/core/messages'
import { ChatOpenAI } from '@langchain/openai'
import { type ChatClient, CITY_SCHEMA, type Connection, PERSON_SCHEMA, PNG, runTool, TOOLS } from './chat-client.ts'

function chatOf({ url, key }: Connection, model: string): ChatOpenAI {
  return new ChatOpenAI({ model, apiKey: key, maxRetries: 0, configuration: { baseURL: `${url}/v1` } })
}

const tools = TOOLS.map((tool) => ({ type: 'function' as const, function: { ...tool, parameters: CITY_SCHEMA } }))

async function toolTurn(prompt: string, ask: (messages: BaseMessage[]) => Promise<AIMessage>) {
  const question = new HumanMessage(prompt)
  const first = await ask([question])
  const calls = first.tool_calls ?? []
  const results = calls.map(
    ({ id, name, args }) => new ToolMessage({ tool_call_id: id ?? '', content: runTool(name, args) }),
  )
  const second = await ask([question, first, ...results])
  return {
    calls: calls.map(({ name, args }) => [name, args] as const),
    finish: first.response_metadata['finish_reason'],
    text: second.text,
  }
}

function answerOf({ text, response_metadata, usage_metadata }: AIMessage) {
  return { text, finish: response_metadata['finish_reason'], ...countsOf(usage_metadata) }
}

function countsOf(usage: UsageMetadata | undefined) {
  return { input: usage?.input_tokens, output: usage?.output_tokens }
}

async function joined(stream: Promise<AsyncIterable<AIMessageChunk>>): Promise<AIMessageChunk> {
  let whole: AIMessageChunk | undefined
  for await (const chunk of await stream) whole = whole === undefined ? chunk : whole.concat(chunk)
  if (whole === undefined) throw new Error('an empty stream')
  return whole
}

export const langchain: ChatClient = {
  name: '@langchain/openai',
  words: { stop: 'stop', tools: 'tool_calls' },
  text: async (connection, model) => answerOf(await chatOf(connection, model).invoke('Hi')),
  stream: async (connection, model) => answerOf(await joined(chatOf(connection, model).stream('Hi'))),
  tools: (connection, model, prompt) =>
    toolTurn(prompt, (messages) => chatOf(connection, model).bindTools(tools).invoke(messages)),
  streamTools: (connection, model, prompt) =>
    toolTurn(prompt, (messages) => joined(chatOf(connection, model).bindTools(tools).stream(messages))),
  async image(connection, model) {
    const content = [
      { type: 'text', text: 'What is this?' },
      { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } },
    ]
    return (await chatOf(connection, model).invoke([new HumanMessage({ content })])).text
  },
  person: (connection, model) =>
    chatOf(connection, model)
      .withStructuredOutput({ title: 'person', ...PERSON_SCHEMA }, { method: 'jsonSchema', strict: true })
      .invoke('Somebody'),
}

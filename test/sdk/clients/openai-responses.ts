import type OpenAI from 'openai'
import { type ChatClient, CITY_SCHEMA, PERSON_SCHEMA, PNG, runTool, TOOLS } from './chat-client.ts'
import { openaiOf } from './openai-chat.ts'

type Reply = OpenAI.Responses.Response
type Item = OpenAI.Responses.ResponseInputItem

const tools = TOOLS.map((tool) => ({
  type: 'function' as const,
  ...tool,
  parameters: { ...CITY_SCHEMA },
  strict: true,
}))

async function toolTurn(prompt: string, ask: (input: Item[]) => Promise<Reply>) {
  const question: Item = { role: 'user', content: prompt }
  const first = await ask([question])
  const calls = first.output.flatMap((item) => (item.type === 'function_call' ? [item] : []))
  const results = calls.map(
    (call): Item => ({
      type: 'function_call_output',
      call_id: call.call_id,
      output: runTool(call.name, JSON.parse(call.arguments)),
    }),
  )
  // The SDK's own advice: what came out goes in again as it is.
  const second = await ask([question, ...(first.output as Item[]), ...results])
  return {
    calls: calls.map((call) => [call.name, JSON.parse(call.arguments)] as const),
    finish: first.status,
    text: second.output_text,
  }
}

/** A failed response is an object like any other to this SDK: its users look at the status. */
function answerOf(reply: Reply) {
  if (reply.status === 'failed') throw new Error(reply.error?.message ?? 'failed')
  return {
    text: reply.output_text,
    finish: reply.status,
    input: reply.usage?.input_tokens,
    output: reply.usage?.output_tokens,
  }
}

export const openaiResponses: ChatClient = {
  name: 'openai responses',
  words: { stop: 'completed', tools: 'completed' },
  text: async (connection, model) => answerOf(await openaiOf(connection).responses.create({ model, input: 'Hi' })),
  stream: async (connection, model) =>
    answerOf(await openaiOf(connection).responses.stream({ model, input: 'Hi' }).finalResponse()),
  tools: (connection, model, prompt) =>
    toolTurn(prompt, (input) => openaiOf(connection).responses.create({ model, input, tools })),
  streamTools: (connection, model, prompt) =>
    toolTurn(prompt, (input) => openaiOf(connection).responses.stream({ model, input, tools }).finalResponse()),
  async image(connection, model) {
    const image = { type: 'input_image' as const, image_url: `data:image/png;base64,${PNG}`, detail: 'auto' as const }
    const input: Item[] = [{ role: 'user', content: [{ type: 'input_text', text: 'What is this?' }, image] }]
    return (await openaiOf(connection).responses.create({ model, input })).output_text
  },
  async person(connection, model) {
    const reply = await openaiOf(connection).responses.create({
      model,
      input: 'Somebody',
      text: { format: { type: 'json_schema', name: 'person', strict: true, schema: { ...PERSON_SCHEMA } } },
    })
    return JSON.parse(reply.output_text)
  },
}

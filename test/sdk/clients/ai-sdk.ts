import { createAnthropic } from '@ai-sdk/anthropic'
import { createGoogleGenerativeAI } from '@ai-sdk/google'
import { createOpenAI } from '@ai-sdk/openai'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { generateObject, generateText, jsonSchema, type LanguageModel, stepCountIs, streamText, tool } from 'ai'
import { type ChatClient, CITY_SCHEMA, type Connection, PERSON_SCHEMA, PNG, runTool, TOOLS } from './chat-client.ts'

// Aliases are unknown to the SDK's lists of models, which it would say on every call.
globalThis.AI_SDK_LOG_WARNINGS = false

const tools = Object.fromEntries(
  TOOLS.map(({ name, description }) => [
    name,
    tool({ description, inputSchema: jsonSchema(CITY_SCHEMA), execute: async (input) => runTool(name, input) }),
  ]),
)

interface Step {
  readonly toolCalls: readonly { readonly toolName: string; readonly input: unknown }[]
  readonly finishReason: string
}

/** The SDK runs the tools and asks again by itself. */
function turnOf(steps: readonly Step[], text: string) {
  const [first] = steps
  return {
    calls: (first?.toolCalls ?? []).map(({ toolName, input }) => [toolName, input] as const),
    finish: first?.finishReason,
    text,
  }
}

type ModelOf = (connection: Connection, model: string) => LanguageModel

type Peculiarities = Pick<ChatClient, 'shownResult' | 'forcesJsonTool' | 'overloadedStatus'>

function aiClient(name: string, modelOf: ModelOf, peculiarities: Peculiarities = {}): ChatClient {
  const options = (connection: Connection, model: string) => ({ model: modelOf(connection, model), maxRetries: 0 })
  return {
    name: `ai + ${name}`,
    words: { stop: 'stop', tools: 'tool-calls' },
    ...peculiarities,
    async text(connection, model) {
      const { text, finishReason, usage } = await generateText({ ...options(connection, model), prompt: 'Hi' })
      return { text, finish: finishReason, input: usage.inputTokens, output: usage.outputTokens }
    },
    async stream(connection, model) {
      const stream = streamText({ ...options(connection, model), prompt: 'Hi', onError: () => {} })
      let text = ''
      for await (const part of stream.fullStream) {
        if (part.type === 'text-delta') text += part.text
        if (part.type === 'error') throw part.error
      }
      const usage = await stream.usage
      return { text, finish: await stream.finishReason, input: usage.inputTokens, output: usage.outputTokens }
    },
    async tools(connection, model, prompt) {
      const reply = await generateText({ ...options(connection, model), prompt, tools, stopWhen: stepCountIs(3) })
      return turnOf(reply.steps, reply.text)
    },
    async streamTools(connection, model, prompt) {
      const stream = streamText({
        ...options(connection, model),
        prompt,
        tools,
        stopWhen: stepCountIs(3),
        onError: () => {},
      })
      return turnOf(await stream.steps, await stream.text)
    },
    async image(connection, model) {
      const content = [
        { type: 'text' as const, text: 'What is this?' },
        { type: 'image' as const, image: PNG, mediaType: 'image/png' },
      ]
      const reply = await generateText({ ...options(connection, model), messages: [{ role: 'user', content }] })
      return reply.text
    },
    async person(connection, model) {
      const reply = await generateObject({
        ...options(connection, model),
        prompt: 'Somebody',
        schema: jsonSchema(PERSON_SCHEMA),
      })
      return reply.object
    },
  }
}

export const aiResponses = aiClient('@ai-sdk/openai', ({ url, key }, model) =>
  createOpenAI({ baseURL: `${url}/v1`, apiKey: key })(model),
)
export const aiChat = aiClient('@ai-sdk/openai chat', ({ url, key }, model) =>
  createOpenAI({ baseURL: `${url}/v1`, apiKey: key }).chat(model),
)
export const aiAnthropic = aiClient(
  '@ai-sdk/anthropic',
  ({ url, key }, model) => createAnthropic({ baseURL: `${url}/v1`, apiKey: key })(model),
  { forcesJsonTool: true, overloadedStatus: 529 },
)
export const aiGoogle = aiClient(
  '@ai-sdk/google',
  ({ url, key }, model) => createGoogleGenerativeAI({ baseURL: `${url}/v1beta`, apiKey: key })(model),
  { shownResult: (name, text) => `{"name":"${name}","content":"${text}"}` },
)
export const aiCompatible = aiClient('@ai-sdk/openai-compatible', ({ url, key }, model) =>
  createOpenAICompatible({
    name: 'korproxy',
    baseURL: `${url}/v1`,
    apiKey: key,
    includeUsage: true,
    supportsStructuredOutputs: true,
  })(model),
)

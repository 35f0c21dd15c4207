import { type Content, type GenerateContentResponse, GoogleGenAI } from '@google/genai'
import { type ChatClient, CITY_SCHEMA, type Connection, PERSON_SCHEMA, PNG, runTool, TOOLS } from './chat-client.ts'

export function googleOf({ url, key }: Connection): GoogleGenAI {
  return new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: url } })
}

const tools = [{ functionDeclarations: TOOLS.map((tool) => ({ ...tool, parametersJsonSchema: CITY_SCHEMA })) }]

/** All parts in the order in which they came. */
function contentOf(chunks: readonly GenerateContentResponse[]): Content {
  return { role: 'model', parts: chunks.flatMap((chunk) => chunk.candidates?.[0]?.content?.parts ?? []) }
}

async function toolTurn(prompt: string, ask: (contents: Content[]) => Promise<GenerateContentResponse[]>) {
  const question: Content = { role: 'user', parts: [{ text: prompt }] }
  const first = await ask([question])
  const calls = first.flatMap((chunk) => chunk.functionCalls ?? [])
  const results = calls.map(({ id, name, args }) => ({
    functionResponse: {
      ...(id === undefined ? {} : { id }),
      name: name ?? '',
      response: { output: runTool(name ?? '', args) },
    },
  }))
  const second = await ask([question, contentOf(first), { role: 'user', parts: results }])
  return {
    calls: calls.map(({ name, args }) => [name ?? '', args] as const),
    finish: first.at(-1)?.candidates?.[0]?.finishReason,
    text: second.map((chunk) => chunk.text ?? '').join(''),
  }
}

function answerOf(chunks: readonly GenerateContentResponse[]) {
  const last = chunks.at(-1)
  const { candidatesTokenCount, thoughtsTokenCount, promptTokenCount } = last?.usageMetadata ?? {}
  return {
    text: chunks.map((chunk) => chunk.text ?? '').join(''),
    finish: last?.candidates?.[0]?.finishReason,
    input: promptTokenCount,
    output: (candidatesTokenCount ?? 0) + (thoughtsTokenCount ?? 0),
  }
}

async function streamed(stream: Promise<AsyncGenerator<GenerateContentResponse>>): Promise<GenerateContentResponse[]> {
  const chunks: GenerateContentResponse[] = []
  for await (const chunk of await stream) chunks.push(chunk)
  return chunks
}

export const googleGenai: ChatClient = {
  name: '@google/genai',
  words: { stop: 'STOP', tools: 'STOP' },
  shownResult: (_name, text) => `{"output":"${text}"}`,
  text: async (connection, model) =>
    answerOf([await googleOf(connection).models.generateContent({ model, contents: 'Hi' })]),
  stream: async (connection, model) =>
    answerOf(await streamed(googleOf(connection).models.generateContentStream({ model, contents: 'Hi' }))),
  tools: (connection, model, prompt) =>
    toolTurn(prompt, async (contents) => [
      await googleOf(connection).models.generateContent({ model, contents, config: { tools } }),
    ]),
  streamTools: (connection, model, prompt) =>
    toolTurn(prompt, (contents) =>
      streamed(googleOf(connection).models.generateContentStream({ model, contents, config: { tools } })),
    ),
  async image(connection, model) {
    const parts = [{ text: 'What is this?' }, { inlineData: { mimeType: 'image/png', data: PNG } }]
    const reply = await googleOf(connection).models.generateContent({ model, contents: [{ role: 'user', parts }] })
    return reply.text ?? ''
  },
  async person(connection, model) {
    const reply = await googleOf(connection).models.generateContent({
      model,
      contents: 'Somebody',
      config: { responseMimeType: 'application/json', responseJsonSchema: PERSON_SCHEMA },
    })
    return JSON.parse(reply.text ?? 'null')
  },
}

import Anthropic from '@anthropic-ai/sdk'
import { type GenerateContentConfig, GoogleGenAI } from '@google/genai'
import { Ollama, type Tool } from 'ollama'
import OpenAI from 'openai'
import type { ChatFormatName } from '#formats/format.ts'

/** What a client asks, in no format's words. */
export interface Question {
  readonly model: string
  readonly prompt: string
  readonly tools: boolean
  readonly thinking: boolean
  readonly json: boolean
}

/** What an application sees of the answer through the official SDK. */
export interface Seen {
  readonly text: string
  readonly thinking: string
  readonly calls: readonly { readonly name: string; readonly arguments: unknown }[]
  readonly finish: string
  readonly usage: readonly (number | undefined)[]
}

export interface Client {
  whole(base: string, question: Question): Promise<Seen>
  stream(base: string, question: Question): Promise<Seen>
}

const CITY = {
  type: 'object' as const,
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
}
const NAMES = ['get_weather', 'get_time']
const SCHEMA_NAME = 'place'

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = []
  for await (const item of items) all.push(item)
  return all
}

function openai(base: string): OpenAI {
  return new OpenAI({ apiKey: 'k', baseURL: `${base}/v1`, maxRetries: 0 })
}

function chatParams({ model, prompt, tools, thinking, json }: Question) {
  return {
    model,
    messages: [{ role: 'user' as const, content: prompt }],
    ...(tools && {
      tools: NAMES.map((name) => ({ type: 'function' as const, function: { name, parameters: CITY } })),
    }),
    ...(thinking && { reasoning_effort: 'low' as const }),
    ...(json && {
      response_format: { type: 'json_schema' as const, json_schema: { name: SCHEMA_NAME, schema: CITY, strict: true } },
    }),
  }
}

function seenCompletion({ choices, usage }: OpenAI.ChatCompletion): Seen {
  const choice = choices[0]
  // `reasoning_content` is an extension that the SDK's types do not know.
  const message = choice?.message as (OpenAI.ChatCompletionMessage & { reasoning_content?: string }) | undefined
  return {
    text: message?.content ?? '',
    thinking: message?.reasoning_content ?? '',
    calls: (message?.tool_calls ?? []).map((call) =>
      call.type === 'function'
        ? { name: call.function.name, arguments: JSON.parse(call.function.arguments) }
        : { name: '', arguments: {} },
    ),
    finish: choice?.finish_reason ?? 'none',
    usage: [
      usage?.prompt_tokens,
      usage?.prompt_tokens_details?.cached_tokens,
      usage?.completion_tokens,
      usage?.completion_tokens_details?.reasoning_tokens,
    ],
  }
}

const chatClient: Client = {
  whole: async (base, question) => seenCompletion(await openai(base).chat.completions.create(chatParams(question))),
  stream: async (base, question) => {
    const stream = openai(base).chat.completions.stream({
      ...chatParams(question),
      stream_options: { include_usage: true },
    })
    let thinking = ''
    stream.on('chunk', ({ choices }) => {
      // As above.
      thinking += (choices[0]?.delta as { reasoning_content?: string } | undefined)?.reasoning_content ?? ''
    })
    const completion = await stream.finalChatCompletion()
    return { ...seenCompletion(completion), thinking }
  },
}

function responsesParams({ model, prompt, tools, thinking, json }: Question) {
  return {
    model,
    input: prompt,
    ...(tools && {
      tools: NAMES.map((name) => ({ type: 'function' as const, name, parameters: CITY, strict: true })),
    }),
    ...(thinking && { reasoning: { effort: 'low' as const, summary: 'auto' as const } }),
    ...(json && { text: { format: { type: 'json_schema' as const, name: SCHEMA_NAME, schema: CITY, strict: true } } }),
  }
}

function seenResponse({ output, status, incomplete_details, usage }: OpenAI.Responses.Response): Seen {
  return {
    text: output
      .flatMap((item) => (item.type === 'message' ? item.content : []))
      .map((part) => (part.type === 'output_text' ? part.text : ''))
      .join(''),
    thinking: output
      .flatMap((item) => (item.type === 'reasoning' ? item.summary : []))
      .map(({ text }) => text)
      .join(''),
    calls: output.flatMap((item) =>
      item.type === 'function_call' ? [{ name: item.name, arguments: JSON.parse(item.arguments) }] : [],
    ),
    finish: incomplete_details?.reason ?? status ?? 'none',
    usage: [
      usage?.input_tokens,
      usage?.input_tokens_details.cached_tokens,
      usage?.output_tokens,
      usage?.output_tokens_details.reasoning_tokens,
    ],
  }
}

const responsesClient: Client = {
  whole: async (base, question) => seenResponse(await openai(base).responses.create(responsesParams(question))),
  stream: async (base, question) =>
    seenResponse(await openai(base).responses.stream(responsesParams(question)).finalResponse()),
}

const completionsClient: Client = {
  whole: async (base, { model, prompt }) => {
    const { choices, usage } = await openai(base).completions.create({ model, prompt })
    return seenText(choices[0]?.text, choices[0]?.finish_reason, usage)
  },
  stream: async (base, { model, prompt }) => {
    const stream = await openai(base).completions.create({
      model,
      prompt,
      stream: true,
      stream_options: { include_usage: true },
    })
    const chunks = await collect(stream)
    const text = chunks.map(({ choices }) => choices[0]?.text ?? '').join('')
    const finish = chunks.map(({ choices }) => choices[0]?.finish_reason).findLast(Boolean)
    return seenText(text, finish, chunks.at(-1)?.usage)
  },
}

function seenText(text = '', finish: string | null = 'none', usage?: OpenAI.CompletionUsage | null): Seen {
  const { prompt_tokens, prompt_tokens_details, completion_tokens, completion_tokens_details } = usage ?? {}
  return {
    text,
    thinking: '',
    calls: [],
    finish: finish ?? 'none',
    usage: [
      prompt_tokens,
      prompt_tokens_details?.cached_tokens,
      completion_tokens,
      completion_tokens_details?.reasoning_tokens,
    ],
  }
}

function anthropicParams({ model, prompt, tools, thinking, json }: Question) {
  return {
    model,
    max_tokens: 4096,
    messages: [{ role: 'user' as const, content: prompt }],
    ...(tools && { tools: NAMES.map((name) => ({ name, input_schema: CITY })) }),
    ...(thinking && { thinking: { type: 'enabled' as const, budget_tokens: 1024 } }),
    ...(json && { output_config: { format: { type: 'json_schema' as const, schema: CITY } } }),
  }
}

function seenMessage({ content, stop_reason, usage }: Anthropic.Message): Seen {
  const { input_tokens, cache_read_input_tokens, output_tokens, output_tokens_details } = usage
  return {
    text: content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
    thinking: content.map((block) => (block.type === 'thinking' ? block.thinking : '')).join(''),
    calls: content.flatMap((block) =>
      block.type === 'tool_use' ? [{ name: block.name, arguments: block.input }] : [],
    ),
    finish: stop_reason ?? 'none',
    usage: [
      input_tokens + (cache_read_input_tokens ?? 0),
      cache_read_input_tokens ?? undefined,
      output_tokens,
      output_tokens_details?.thinking_tokens,
    ],
  }
}

function anthropic(base: string): Anthropic {
  return new Anthropic({ apiKey: 'k', baseURL: base, maxRetries: 0 })
}

const anthropicClient: Client = {
  whole: async (base, question) => seenMessage(await anthropic(base).messages.create(anthropicParams(question))),
  stream: async (base, question) =>
    seenMessage(await anthropic(base).messages.stream(anthropicParams(question)).finalMessage()),
}

function geminiParams({ model, prompt, tools, thinking, json }: Question) {
  const config: GenerateContentConfig = {
    ...(tools && { tools: [{ functionDeclarations: NAMES.map((name) => ({ name, parametersJsonSchema: CITY })) }] }),
    ...(thinking && { thinkingConfig: { includeThoughts: true, thinkingBudget: 1024 } }),
    ...(json && { responseMimeType: 'application/json', responseJsonSchema: CITY }),
  }
  return { model, contents: prompt, config }
}

function seenContents(responses: readonly Awaited<ReturnType<GoogleGenAI['models']['generateContent']>>[]): Seen {
  const parts = responses.flatMap(({ candidates }) => candidates?.[0]?.content?.parts ?? [])
  const text = (thought: boolean) =>
    parts
      .filter((part) => (part.thought ?? false) === thought)
      .map((part) => part.text ?? '')
      .join('')
  const usage = responses.at(-1)?.usageMetadata
  const { promptTokenCount, cachedContentTokenCount, candidatesTokenCount = 0, thoughtsTokenCount } = usage ?? {}
  return {
    text: text(false),
    thinking: text(true),
    calls: parts.flatMap(({ functionCall: call }) =>
      call === undefined ? [] : [{ name: call.name ?? '', arguments: call.args }],
    ),
    finish: String(responses.at(-1)?.candidates?.[0]?.finishReason ?? 'none'),
    usage: [
      promptTokenCount,
      cachedContentTokenCount,
      candidatesTokenCount + (thoughtsTokenCount ?? 0),
      thoughtsTokenCount,
    ],
  }
}

function google(base: string): GoogleGenAI {
  return new GoogleGenAI({ apiKey: 'k', httpOptions: { baseUrl: base } })
}

const geminiClient: Client = {
  whole: async (base, question) => seenContents([await google(base).models.generateContent(geminiParams(question))]),
  stream: async (base, question) =>
    seenContents(await collect(await google(base).models.generateContentStream(geminiParams(question)))),
}

const OLLAMA_TOOLS: Tool[] = NAMES.map((name) => ({
  type: 'function',
  function: { name, description: name, parameters: CITY },
}))

function ollamaParams({ model, prompt, tools, thinking, json }: Question) {
  return {
    model,
    messages: [{ role: 'user', content: prompt }],
    ...(tools && { tools: OLLAMA_TOOLS }),
    ...(thinking && { think: true }),
    ...(json && { format: CITY }),
  }
}

interface Line {
  readonly done_reason: string
  readonly prompt_eval_count: number
  readonly eval_count: number
}

function countedLine(last: Line | undefined): Pick<Seen, 'finish' | 'usage'> {
  return {
    finish: last?.done_reason ?? 'none',
    usage: [last?.prompt_eval_count, undefined, last?.eval_count, undefined],
  }
}

const ollamaChatClient: Client = {
  whole: async (base, question) => {
    const reply = await new Ollama({ host: base }).chat({ ...ollamaParams(question), stream: false })
    const calls = (reply.message.tool_calls ?? []).map((call) => call.function)
    return {
      text: reply.message.content,
      thinking: reply.message.thinking ?? '',
      calls: calls.map(({ name, arguments: given }) => ({ name, arguments: given })),
      ...countedLine(reply),
    }
  },
  stream: async (base, question) => {
    const lines = await collect(await new Ollama({ host: base }).chat({ ...ollamaParams(question), stream: true }))
    const calls = lines.flatMap(({ message }) => message.tool_calls ?? []).map((call) => call.function)
    return {
      text: lines.map(({ message }) => message.content).join(''),
      thinking: lines.map(({ message }) => message.thinking ?? '').join(''),
      calls: calls.map(({ name, arguments: given }) => ({ name, arguments: given })),
      ...countedLine(lines.at(-1)),
    }
  },
}

const ollamaGenerateClient: Client = {
  whole: async (base, { model, prompt, thinking }) => {
    const reply = await new Ollama({ host: base }).generate({
      model,
      prompt,
      ...(thinking && { think: true }),
      stream: false,
    })
    return { text: reply.response ?? '', thinking: reply.thinking ?? '', calls: [], ...countedLine(reply) }
  },
  stream: async (base, { model, prompt, thinking }) => {
    const stream = await new Ollama({ host: base }).generate({
      model,
      prompt,
      ...(thinking && { think: true }),
      stream: true,
    })
    const lines = await collect(stream)
    return {
      text: lines.map(({ response }) => response).join(''),
      thinking: lines.map((line) => line.thinking ?? '').join(''),
      calls: [],
      ...countedLine(lines.at(-1)),
    }
  },
}

/** The official SDK of each client format. */
export const CLIENTS: Readonly<Record<ChatFormatName, Client>> = {
  'openai-chat': chatClient,
  'openai-responses': responsesClient,
  'openai-completions': completionsClient,
  anthropic: anthropicClient,
  gemini: geminiClient,
  'ollama-chat': ollamaChatClient,
  'ollama-generate': ollamaGenerateClient,
}

import t from 'tap'
import type { ChatFormatName } from '#formats/format.ts'
import { startSimulator } from '#simulator/simulator.ts'
import { CLIENTS, type Question, type Seen } from './clients.ts'
import { startRelay } from './relay.ts'
import { ANSWERING } from './targets.ts'

const PLAIN: Question = { model: 'alias', prompt: 'hi', tools: false, thinking: false, json: false }
/** The simulator's fixed answers. */
const QUESTIONS = {
  text: PLAIN,
  tools: { ...PLAIN, prompt: 'USETOOLS2', tools: true },
  thinking: { ...PLAIN, prompt: 'THINK', thinking: true },
  length: { ...PLAIN, model: 'alias--length' },
  filter: { ...PLAIN, model: 'alias--filter' },
  blocked: { ...PLAIN, model: 'alias--blocked' },
  json: { ...PLAIN, json: true },
}
type Title = keyof typeof QUESTIONS

const GREETINGS: Readonly<Record<string, string>> = {
  'openai-chat': 'Hello from openai gpt-4o.',
  'openai-responses': 'Hello from openai gpt-4.1.',
  anthropic: 'Hello from anthropic claude-sonnet-4-0.',
  'anthropic without schemas': 'Hello from anthropic claude-3-5-haiku.',
  gemini: 'Hello from gemini gemini-3-pro.',
  'ollama-chat': 'Hello from ollama qwen3.',
}
/** The client's words for the four ends. */
const FINISHES: Readonly<
  Record<ChatFormatName, readonly [stop: string, tools: string, length: string, filter: string]>
> = {
  'openai-chat': ['stop', 'tool_calls', 'length', 'content_filter'],
  'openai-responses': ['completed', 'completed', 'max_output_tokens', 'content_filter'],
  'openai-completions': ['stop', 'stop', 'length', 'content_filter'],
  anthropic: ['end_turn', 'tool_use', 'max_tokens', 'refusal'],
  gemini: ['STOP', 'STOP', 'MAX_TOKENS', 'SAFETY'],
  'ollama-chat': ['stop', 'stop', 'length', 'content_filter'],
  'ollama-generate': ['stop', 'stop', 'length', 'content_filter'],
}
/** Completions and generate know no tools, completions no thoughts and no schemas. */
const TEXT_ONLY: readonly ChatFormatName[] = ['openai-completions', 'ollama-generate']
/** Why an answer of nothing is one: Ollama's clients have no other place for it than the text. */
const EXPLANATIONS: Readonly<Record<string, string>> = {
  anthropic: 'refused',
  'anthropic without schemas': 'refused',
  gemini: 'The prompt was blocked: PROHIBITED_CONTENT',
}
const CALLS = [
  { name: 'get_weather', arguments: { city: 'Paris' } },
  { name: 'get_time', arguments: { city: 'London' } },
]
const THOUGHT = 'The user asked me to think, so I think.'

function expected(target: string, title: Title, client: ChatFormatName): Seen {
  const question = TEXT_ONLY.includes(client) && (title === 'tools' || title === 'json') ? 'text' : title
  const counts = target !== 'ollama-chat' && !client.startsWith('ollama')
  return {
    text: expectedText(target, question, client),
    thinking: question === 'thinking' && client !== 'openai-completions' ? THOUGHT : '',
    calls: question === 'tools' ? CALLS : [],
    finish: expectedFinish(target, question, client),
    // Ollama does not count what came from its cache and what was thought.
    usage: [11, counts ? 3 : 0, 7, counts && question === 'thinking' ? 2 : 0],
  }
}

function expectedText(target: string, title: Title, client: ChatFormatName): string {
  if (title === 'json') return '{"city":"Paris"}'
  if (title === 'blocked') return client.startsWith('ollama') ? (EXPLANATIONS[target] ?? '') : ''
  return title === 'tools' ? '' : (GREETINGS[target] ?? '')
}

/** Ollama itself filters nothing. */
function expectedFinish(target: string, title: Title, client: ChatFormatName): string {
  const [stop, tools, length, filter] = FINISHES[client]
  if (title === 'tools') return tools
  if (title === 'length') return length
  return (title === 'filter' || title === 'blocked') && target !== 'ollama-chat' ? filter : stop
}

/** An absent count is as good as none. */
function comparable(seen: Seen): Seen {
  return { ...seen, usage: seen.usage.map((count) => count ?? 0) }
}

for (const target of Object.keys(ANSWERING)) {
  t.test(`R3.3 the SDK of every client sees what ${target} answers, whole and streamed`, async (t) => {
    const simulator = await startSimulator()
    t.teardown(() => simulator.close())
    const url = `${await startRelay(t, simulator.url)}/${encodeURIComponent(target)}`
    // The keys of the record.
    for (const name of Object.keys(CLIENTS) as ChatFormatName[]) {
      for (const [title, question] of Object.entries(QUESTIONS) as [Title, Question][]) {
        const wanted = expected(target, title, name)
        t.strictSame(
          comparable(await CLIENTS[name].whole(url, question)),
          wanted,
          `${target} → ${name}, ${title}, whole`,
        )
        t.strictSame(
          comparable(await CLIENTS[name].stream(url, question)),
          wanted,
          `${target} → ${name}, ${title}, stream`,
        )
      }
    }
  })
}

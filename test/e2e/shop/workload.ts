// Runs in a pod: a program with the OpenAI SDK, which a test tells what to ask for. Nothing is retried.
import { createServer } from 'node:http'
import OpenAI from 'openai'

const { BASE_URL, KEY, PORT = '8080' } = process.env
const client = new OpenAI({ baseURL: BASE_URL, apiKey: KEY, maxRetries: 0 })
const messages = [{ role: 'user' as const, content: 'Hello' }]

async function chat(model: string): Promise<object> {
  const { data, response } = await client.chat.completions.create({ model, messages }).withResponse()
  const [choice] = data.choices
  return { text: choice?.message.content, finish: choice?.finish_reason, headers: Object.fromEntries(response.headers) }
}

async function stream(model: string): Promise<object> {
  const asked = client.chat.completions.create({ model, messages, stream: true })
  const { data, response } = await asked.withResponse()
  let [text, finish, pieces] = ['', '', 0]
  for await (const { choices } of data) {
    const piece = choices[0]?.delta.content ?? ''
    if (piece !== '') pieces += 1
    text += piece
    finish = choices[0]?.finish_reason ?? finish
  }
  return { text, finish, pieces, headers: Object.fromEntries(response.headers) }
}

createServer(async (request, reply) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://workload')
  const model = searchParams.get('model') ?? 'gpt-4o-mini'
  try {
    reply.end(JSON.stringify(await (pathname === '/stream' ? stream(model) : chat(model))))
  } catch (error) {
    reply.end(JSON.stringify({ failed: String(error) }))
  }
}).listen(Number(PORT))

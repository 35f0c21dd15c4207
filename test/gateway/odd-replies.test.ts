import t, { type Test } from 'tap'
import { accounts, PRIMARY_AND_FALLBACK, type Stack, startStack, startStackAt } from '../helpers/stack.ts'

const MODEL = 'gpt-4o-mini'
const CHAT = '/v1/chat/completions'
const STREAM_HEAD = { status: 200, headers: { 'content-type': 'text/event-stream' } }
const JSON_HEAD = { status: 200, headers: { 'content-type': 'application/json' } }

async function withScript(t: Test, script: readonly unknown[], key?: string): Promise<Stack> {
  const stack = await startStack(t, PRIMARY_AND_FALLBACK)
  stack.simulator.script({ ...(key === undefined ? {} : { match: { key } }), script } as never)
  return stack
}

function post(stack: Stack, path: string, body: Record<string, unknown>): Promise<Response> {
  return fetch(`${stack.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

function ask(stack: Stack, more: Record<string, unknown> = {}): Promise<Response> {
  return post(stack, CHAT, { model: MODEL, messages: [{ role: 'user', content: 'Hi' }], ...more })
}

function chunk(index: number, delta: Record<string, unknown>, finish: string | null = null): string {
  const choices = [{ index, delta, finish_reason: finish }]
  return `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: MODEL, choices })}\n\n`
}

const ANSWER = chunk(0, { content: 'hello' }) + chunk(0, {}, 'stop')

for (const [name, rest] of Object.entries({
  'an empty event': 'data: [DONE]\n\ndata: \n\n',
  'a word that is no JSON': 'data: [DONE]\n\ndata: [done]\n\n',
  'an event of another kind': 'data: [DONE]\n\nevent: close\ndata: bye\n\n',
  'nothing but an empty event': 'data: \n\n',
  'broken JSON': 'data: {"id":\n\n',
})) {
  for (const path of [CHAT, '/v1/messages']) {
    t.test(`${path}: an answer that is whole stays whole, whatever follows in the same piece: ${name}`, async (t) => {
      const stack = await withScript(t, [STREAM_HEAD, { write: ANSWER + rest }, { end: true }])
      const reply = await post(stack, path, {
        model: MODEL,
        max_tokens: 9,
        stream: true,
        messages: [{ role: 'user', content: 'Hi' }],
      })
      const text = await reply.text()
      t.match(text, /hello/)
      t.match(text, path === CHAT ? /data: \[DONE\]/ : /message_stop/)
      t.equal(stack.simulator.requests().length, 1)
    })
  }
}

t.test('two choices: one that has not ended is no success', async (t) => {
  const both = chunk(0, { content: 'one' }) + chunk(1, { content: 'two' })
  const stack = await withScript(t, [
    STREAM_HEAD,
    { write: both },
    { sleep: 200 },
    { write: chunk(0, {}, 'stop') },
    { sleep: 200 },
    { reset: true },
  ])
  const text = await (await ask(stack, { stream: true, n: 2 })).text()
  t.match(text, /"error"/)
  t.notMatch(text, /\[DONE\]/)
})

t.test('R7.9 the usage of an answer of some MB counts: generated images are that large', async (t) => {
  const body = JSON.stringify({
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: MODEL,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: 'x'.repeat(3_000_000) },
        finish_reason: 'stop',
        logprobs: null,
      },
    ],
    usage: { prompt_tokens: 100, completion_tokens: 50_000, total_tokens: 50_100 },
  })
  const stack = await withScript(t, [JSON_HEAD, { write: body }, { end: true }])
  t.equal(await (await ask(stack)).text(), body)
  t.match((await stack.settled(1))[0], { status: 200, inputTokens: 100, outputTokens: 50_000 })
})

t.test('R3.4 events of a path that is no known API pass as they come', async (t) => {
  let finish = (): void => {}
  const stack = await startStackAt(t, (_request, reply) => {
    reply.writeHead(200, { 'content-type': 'text/event-stream' })
    reply.write('data: {"n":1}\n\n')
    finish = () => reply.end('data: {"n":2}\n\n')
  })
  const reply = await post(stack, '/v1/threads/runs', { model: MODEL, stream: true })
  const reader = reply.body?.getReader()
  const first = await reader?.read()
  t.equal(Buffer.from(first?.value ?? []).toString(), 'data: {"n":1}\n\n')
  finish()
  const second = await reader?.read()
  t.equal(Buffer.from(second?.value ?? []).toString(), 'data: {"n":2}\n\n')
})

t.test('a stream whose type is written in capitals, or missing, is a stream', async (t) => {
  for (const headers of [{ 'content-type': 'Text/Event-Stream' }, {}]) {
    const stack = await withScript(
      t,
      [{ status: 200, headers }, { write: `${ANSWER}data: [DONE]\n\n` }, { end: true }],
      'sk-a',
    )
    t.match(await (await ask(stack, { stream: true })).text(), /hello[\s\S]*\[DONE\]/)
    t.equal(stack.simulator.requests().length, 1)
  }
})

t.test('HEAD tells the length that the provider tells, and 204 tells none', async (t) => {
  const stack = await startStackAt(t, ({ method }, reply) => {
    if (method === 'HEAD') reply.writeHead(200, { 'content-length': 1234 }).end()
    else reply.writeHead(204).end()
  })
  const head = await fetch(`${stack.url}/v1/files/f`, { method: 'HEAD' })
  t.equal(head.headers.get('content-length'), '1234')
  const empty = await fetch(`${stack.url}/v1/files/f`, { method: 'DELETE' })
  t.equal(empty.status, 204)
  t.equal(empty.headers.get('content-length'), null)
})

t.test('R7.9 counting tokens and listing models use none', async (t) => {
  const stack = await startStack(t, accounts(['a'], 'provider: Anthropic', ''))
  const messages = [{ role: 'user', content: 'x'.repeat(4_000) }]
  t.equal((await post(stack, '/v1/messages/count_tokens', { model: 'claude-haiku-4-5', messages })).status, 200)
  t.equal((await fetch(`${stack.url}/v1/models`)).status, 200)
  for (const line of await stack.settled(2)) t.notOk(line['inputTokens'], JSON.stringify(line))
})

t.test('a wait of centuries is told as a day at most', async (t) => {
  const wait = {
    status: 503,
    headers: { 'retry-after': '9999999999999999999999999', 'content-type': 'application/json' },
  }
  const stack = await withScript(t, [wait, { write: '{"error":{"message":"later"}}' }, { end: true }])
  const reply = await ask(stack)
  t.match(reply.headers.get('retry-after') ?? '1', /^[0-9]{1,5}$/)
})

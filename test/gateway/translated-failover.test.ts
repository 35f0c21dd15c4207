import t, { type Test } from 'tap'
import { accounts, type Stack, startStack } from '../helpers/stack.ts'

const MODEL = 'gpt-4o-mini'

/** A client of one format: how it asks, and how it knows a whole answer and an error apart. */
interface ClientFormat {
  readonly path: string
  readonly body: Readonly<Record<string, unknown>>
  readonly isWhole: (text: string) => boolean
  readonly isError: (text: string) => boolean
}

const MESSAGES = [{ role: 'user', content: 'Hi' }]
const CONTENTS = [{ role: 'user', parts: [{ text: 'Hi' }] }]

const CLIENTS: Readonly<Record<string, ClientFormat>> = {
  'OpenAI chat': {
    path: '/v1/chat/completions',
    body: { model: MODEL, messages: MESSAGES, stream: true },
    isWhole: (text) => text.endsWith('data: [DONE]\n\n') && text.includes('"finish_reason":"stop"'),
    isError: (text) => /data: \{"error":\{[^\n]*\}\n\n$/.test(text),
  },
  'OpenAI responses': {
    path: '/v1/responses',
    body: { model: MODEL, input: 'Hi', stream: true },
    isWhole: (text) => text.includes('"type":"response.completed"'),
    isError: (text) => /"type":"(?:error|response\.failed)"[^\n]*\n\n$/.test(text),
  },
  'OpenAI completions': {
    path: '/v1/completions',
    body: { model: MODEL, prompt: 'Hi', stream: true },
    isWhole: (text) => text.endsWith('data: [DONE]\n\n') && text.includes('"finish_reason":"stop"'),
    isError: (text) => /data: \{"error":\{[^\n]*\}\n\n$/.test(text),
  },
  Anthropic: {
    path: '/v1/messages',
    body: { model: MODEL, max_tokens: 100, messages: MESSAGES, stream: true },
    isWhole: (text) => text.includes('"type":"message_stop"') && text.includes('"stop_reason":"end_turn"'),
    isError: (text) => /event: error\ndata: \{"type":"error"[^\n]*\n\n$/.test(text),
  },
  'Gemini SSE': {
    path: `/v1beta/models/${MODEL}:streamGenerateContent?alt=sse`,
    body: { contents: CONTENTS },
    isWhole: (text) => text.includes('"finishReason":"STOP"'),
    isError: (text) => /data: \{"error":\{[^\n]*\}\s*$/.test(text),
  },
  'Gemini array': {
    path: `/v1beta/models/${MODEL}:streamGenerateContent`,
    body: { contents: CONTENTS },
    isWhole: (text) => JSON.stringify(parsedArray(text).at(-1) ?? null).includes('"finishReason":"STOP"'),
    isError: (text) => JSON.stringify(parsedArray(text).at(-1) ?? null).startsWith('{"error":{'),
  },
  'Ollama chat': {
    path: '/api/chat',
    body: { model: MODEL, messages: MESSAGES },
    isWhole: (text) => /"done":true[^\n]*\n?$/.test(text),
    isError: (text) => /\n\{"error":"[^\n]*\}\n$/.test(text),
  },
  'Ollama generate': {
    path: '/api/generate',
    body: { model: MODEL, prompt: 'Hi' },
    isWhole: (text) => /"done":true[^\n]*\n?$/.test(text),
    isError: (text) => /\n\{"error":"[^\n]*\}\n$/.test(text),
  },
}

function parsedArray(text: string): unknown[] {
  const value: unknown = JSON.parse(text)
  return Array.isArray(value) ? value : []
}

const PROVIDERS: Readonly<Record<string, string>> = { OpenAI: '/v1', Anthropic: '', Gemini: '', Ollama: '' }

function manifests(provider: string): string {
  return `${accounts(['a', 'b'], `provider: ${provider}`, PROVIDERS[provider] ?? '')}
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: main}
spec:
  selectionStrategy: Priority
  accountRefs: [{name: a, priority: 0}, {name: b, priority: 1}]
  retry: {sameAccountBackoff: {base: 10ms, max: 20ms}}
  timeouts: {firstByte: 400ms, firstByteWhole: 400ms, idle: 400ms}
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: default}
spec: {defaultProviderGroup: {name: main}}
`
}

interface Answer {
  readonly status: number
  readonly text: string
  readonly headers: Headers
}

async function ask(stack: Stack, { path, body }: ClientFormat): Promise<Answer> {
  const reply = await fetch(`${stack.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return { status: reply.status, text: await reply.text(), headers: reply.headers }
}

/** Before anything was shown: the next account answers, and the client never learns of the first. */
const BEFORE: Readonly<Record<string, readonly unknown[]>> = {
  'status 500': [{ failure: { status: 500 } }],
  'status 429': [{ failure: { status: 429, retryAfterS: 60 } }],
  'status 529': [{ failure: { status: 529, retryAfterS: 60 } }],
  'a reset before headers': [{ reset: true }],
  silence: [{ hang: true }],
  '200 and then silence': [{ reply: { events: 0, start: true } }, { hang: true }],
  '200 and then an error event': [{ reply: { events: 0, start: true } }, { errorEvent: { kind: 'overloaded' } }],
  '200 and then a cut': [{ reply: { events: 0, start: true } }, { sleep: 20 }, { close: true }],
}
/** After content was shown: an error in the client's own format. */
const AFTER: Readonly<Record<string, readonly unknown[]>> = {
  'a cut': [{ reply: { events: 2 } }, { sleep: 20 }, { close: true }],
  'a reset': [{ reply: { events: 2 } }, { sleep: 20 }, { reset: true }],
  'a stall': [{ reply: { events: 2 } }, { hang: true }],
  'an error event': [{ reply: { events: 2 } }, { sleep: 100 }, { errorEvent: { kind: 'overloaded' } }],
  'a broken event': [{ reply: { broken: true, gapMs: 20 } }],
  'an end without finish reason': [{ reply: { omit: 'finish' } }],
}

for (const provider of Object.keys(PROVIDERS)) {
  for (const [name, client] of Object.entries(CLIENTS)) {
    t.test(
      `R2.6 R3.4 ${name} in, ${provider} out: before content the next account answers, after it an error of the client's format`,
      async (t) => {
        const stack = await startStack(t, manifests(provider))
        const plain = await ask(stack, client)
        t.equal(plain.status, 200, plain.text)
        t.ok(client.isWhole(plain.text), `whole without faults: ${plain.text.slice(-300)}`)
        t.notOk(client.isError(plain.text))
        for (const [fault, script] of Object.entries(BEFORE)) await before(t, stack, client, { fault, script })
        for (const [fault, script] of Object.entries(AFTER)) await after(t, stack, client, { fault, script })
        await completes(t, stack, client)
      },
    )
  }
}

function asked(stack: Stack): string[] {
  return stack.simulator.requests().map(({ key }) => (key ?? '').replace('sk-', ''))
}

interface Fault {
  readonly fault: string
  readonly script: readonly unknown[]
}

async function play(stack: Stack, script: readonly unknown[]): Promise<void> {
  stack.simulator.reset()
  await fetch(`${stack.url}/_korproxy/health/reset`, { method: 'POST', headers: { authorization: 'Bearer kpm-test' } })
  stack.simulator.script({ match: { key: 'sk-a' }, script } as never)
}

async function before(t: Test, stack: Stack, client: ClientFormat, { fault, script }: Fault): Promise<void> {
  await play(stack, script)
  const { status, text, headers } = await ask(stack, client)
  t.equal(status, 200, `${fault}: ${text}`)
  t.ok(client.isWhole(text), `${fault}: whole: ${text.slice(-300)}`)
  t.notOk(client.isError(text), fault)
  t.equal(headers.get('x-korproxy-account'), 'b', fault)
  // A reset on a connection that was used before is tried once more on a fresh one: it says nothing yet.
  t.equal(asked(stack).filter((key) => key === 'b').length, 1, fault)
  t.ok(asked(stack).length <= (fault === 'a reset before headers' ? 3 : 2), fault)
}

async function after(t: Test, stack: Stack, client: ClientFormat, { fault, script }: Fault): Promise<void> {
  await play(stack, script)
  const { status, text } = await ask(stack, client)
  t.equal(status, 200, fault)
  t.ok(client.isError(text), `${fault}: an error: ${text.slice(-300)}`)
  t.notOk(client.isWhole(text), `${fault}: no success: ${text.slice(-300)}`)
  t.equal(stack.simulator.requests().length, 1, `${fault}: never tried again`)
}

/** The finish reason came, only the farewell is missing: the answer is whole. */
async function completes(t: Test, stack: Stack, client: ClientFormat): Promise<void> {
  await play(stack, [{ reply: { omit: 'terminator' } }])
  const { text } = await ask(stack, client)
  t.ok(client.isWhole(text), `completed: ${text.slice(-300)}`)
  t.notOk(client.isError(text))
}

t.test('whole replies move on in every pair, too', async (t) => {
  for (const provider of Object.keys(PROVIDERS)) {
    const stack = await startStack(t, manifests(provider))
    for (const [name, client] of Object.entries(CLIENTS)) {
      if (name.startsWith('Gemini')) continue
      for (const script of [
        BEFORE['status 500'],
        BEFORE['a reset before headers'],
        [{ errorEvent: { kind: 'server_error' } }],
        [{ truncate: 10 }],
      ]) {
        await play(stack, script ?? [])
        const { status, text, headers } = await ask(stack, { ...client, body: { ...client.body, stream: false } })
        t.equal(status, 200, `${name} → ${provider}: ${text}`)
        t.equal(headers.get('x-korproxy-account'), 'b')
        t.type(JSON.parse(text), 'object')
      }
    }
  }
})

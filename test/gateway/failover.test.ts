import t, { type Test } from 'tap'
import { accounts, type Stack, startStack } from '../helpers/stack.ts'

/** Two accounts in one group, a third in the fallback group; `a` is always asked first. */
const MANIFESTS = `${accounts(['a', 'b', 'c'])}
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: main}
spec:
  selectionStrategy: Priority
  accountRefs: [{name: a, priority: 0}, {name: b, priority: 1}]
  fallbackGroupRefs: [{name: spare}]
  retry: {sameAccountBackoff: {base: 10ms, max: 50ms}}
  timeouts: {connect: 1s, firstByte: 500ms, firstByteWhole: 500ms, idle: 500ms, request: 5s}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: spare}
spec:
  accountRefs: [{name: c}]
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: default}
spec:
  defaultProviderGroup: {name: main}
`

interface Asked {
  readonly status: number
  readonly text: string
  readonly headers: Headers
}

async function ask(stack: Stack, body: Record<string, unknown> = {}): Promise<Asked> {
  const reply = await fetch(`${stack.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hi' }], ...body }),
  })
  let text = ''
  try {
    text = await reply.text()
  } catch (error) {
    text = `cut: ${String(error)}`
  }
  return { status: reply.status, text, headers: reply.headers }
}

/** Keys in the order in which the provider saw them. */
function asked(stack: Stack): string[] {
  return stack.simulator
    .requests()
    .map(({ headers }) => String(headers['authorization'] ?? '').replace('Bearer sk-', ''))
}

async function withStack(
  t: Test,
  script: readonly unknown[],
  options: { key?: string; times?: number } = {},
): Promise<Stack> {
  const stack = await startStack(t, MANIFESTS)
  const key = options.key ?? 'a'
  stack.simulator.script({
    match: { key: `sk-${key}` },
    ...(options.times === undefined ? {} : { times: options.times }),
    script,
  } as never)
  return stack
}

t.test('R1.9 R2.6 a 429 with Retry-After goes to the next account at once, and the reply says so', async (t) => {
  const stack = await withStack(t, [{ failure: { status: 429, retryAfterS: 30 } }])
  const first = await ask(stack)
  t.equal(first.status, 200)
  t.strictSame(asked(stack), ['a', 'b'])
  t.equal(first.headers.get('x-korproxy-attempts'), '2')
  t.equal(first.headers.get('x-korproxy-account'), 'b')
  t.equal(first.headers.get('x-korproxy-provider-group'), 'main')
  t.equal(first.headers.get('x-korproxy-profile'), 'default')
  t.equal(first.headers.get('x-korproxy-type'), 'chat')
  await ask(stack)
  t.strictSame(asked(stack), ['a', 'b', 'b'], 'the limited account rests')
  const lines = await stack.settled(2)
  t.equal(lines.length, 2, 'one record a request')
  t.match(lines[0], { account: 'b', model: 'gpt-4o-mini', status: 200 })
})

t.test('R2.4 every account limited: 429 with the true Retry-After and the promised message', async (t) => {
  const stack = await startStack(t, MANIFESTS)
  stack.simulator.script({ script: [{ failure: { status: 429, retryAfterS: 40 } }] })
  const reply = await ask(stack)
  t.equal(reply.status, 429)
  t.match(reply.text, /Provider rate limited\. Retrying in (39|40)s…/)
  t.match(reply.headers.get('retry-after') ?? '', /^(39|40)$/)
  t.equal(reply.headers.get('x-korproxy-error'), 'KP-PROV-110')
  t.strictSame(asked(stack), ['a', 'b', 'c'])
})

t.test('one 500: the next account answers', async (t) => {
  const stack = await withStack(t, [{ failure: { status: 500 } }], { times: 1 })
  t.equal((await ask(stack)).status, 200)
  t.strictSame(asked(stack), ['a', 'b'])
})

t.test('endless 503 of everybody: three attempts, then an honest 503', async (t) => {
  const stack = await startStack(t, MANIFESTS)
  stack.simulator.script({ script: [{ failure: { status: 503 } }] })
  const reply = await ask(stack)
  t.equal(reply.status, 503)
  t.equal(asked(stack).length, 3)
})

for (const stream of [false, true]) {
  const kind = stream ? 'stream' : 'whole reply'
  t.test(`F2 a reset before headers moves on (${kind})`, async (t) => {
    const stack = await withStack(t, [{ reset: true }], { times: 1 })
    t.equal((await ask(stack, { stream })).status, 200)
    t.strictSame(asked(stack), ['a', 'b'])
  })

  t.test(`F5 no answer: the next account after the first-byte time-out (${kind})`, async (t) => {
    const stack = await withStack(t, [{ hang: true }])
    const reply = await ask(stack, { stream })
    t.equal(reply.status, 200)
    t.strictSame(asked(stack), ['a', 'b'])
  })
}

t.test('200 and then silence: nothing was shown yet, so the next account answers', async (t) => {
  const stack = await withStack(t, [{ reply: { stream: true, events: 0, start: true } }, { hang: true }])
  const reply = await ask(stack, { stream: true })
  t.equal(reply.status, 200)
  t.match(reply.text, /data: \[DONE\]\n\n$/)
  t.strictSame(asked(stack), ['a', 'b'])
})

t.test('200 and then an error event: the next account answers', async (t) => {
  const stack = await withStack(t, [{ errorEvent: { kind: 'server_error' } }])
  const reply = await ask(stack, { stream: true })
  t.match(reply.text, /data: \[DONE\]\n\n$/)
  t.notMatch(reply.text, /"error"/)
  t.strictSame(asked(stack), ['a', 'b'])
})

t.test('200 with an error in the body instead of an answer: the next account answers', async (t) => {
  const stack = await withStack(t, [{ errorEvent: { kind: 'server_error' } }])
  const reply = await ask(stack)
  t.equal(reply.status, 200)
  t.equal(JSON.parse(reply.text).choices[0].finish_reason, 'stop')
  t.strictSame(asked(stack), ['a', 'b'])
})

const BREAKS: Readonly<Record<string, readonly unknown[]>> = {
  'a clean end without finish reason': [{ reply: { omit: 'finish' } }],
  'a cut connection': [{ reply: { events: 2 } }, { sleep: 200 }, { close: true }],
  'a reset': [{ reply: { events: 2 } }, { sleep: 200 }, { reset: true }],
  'a broken event': [{ reply: { broken: true } }],
  'a stall': [{ reply: { events: 2 } }, { hang: true }],
  'an error event': [{ reply: { events: 2 } }, { errorEvent: { kind: 'overloaded' } }],
}
for (const [name, script] of Object.entries(BREAKS)) {
  t.test(`R3.4 ${name} after content ends in an error event, never in a success`, async (t) => {
    const stack = await withStack(t, script)
    const reply = await ask(stack, { stream: true })
    t.equal(reply.status, 200)
    t.match(reply.text, /"content":/)
    t.match(reply.text, /data: \{"error":\{[^\n]*\}\n\n$/)
    t.notMatch(reply.text, /\[DONE\]/)
    t.notMatch(reply.text, /"finish_reason":"stop"/)
    t.strictSame(asked(stack), ['a'], 'never tried again after content')
    const [line] = await stack.settled(1)
    t.match(line, { truncated: true, account: 'a' })
  })
}

t.test('a finish reason without terminator is a whole answer and gets its terminator', async (t) => {
  const stack = await withStack(t, [{ reply: { omit: 'terminator' } }])
  const reply = await ask(stack, { stream: true })
  t.match(reply.text, /"finish_reason":"stop"/)
  t.match(reply.text, /data: \[DONE\]\n\n$/)
  t.strictSame(asked(stack), ['a'])
})

t.test('a context that is too long is refused after exactly one attempt', async (t) => {
  const stack = await withStack(t, [{ failure: { kind: 'context_length' } }])
  const reply = await ask(stack)
  t.equal(reply.status, 400)
  t.equal(JSON.parse(reply.text).error.code, 'context_length_exceeded')
  t.equal(reply.headers.get('x-should-retry'), 'false')
  t.strictSame(asked(stack), ['a'])
})

t.test('a content filter refuses after exactly one attempt', async (t) => {
  const stack = await withStack(t, [{ failure: { kind: 'content_filter' } }])
  const reply = await ask(stack)
  t.equal(reply.status, 400)
  t.strictSame(asked(stack), ['a'])
})

t.test('R8.2 refused credentials of one account: the next answers; of all: 502, never 401', async (t) => {
  const stack = await withStack(t, [{ failure: { status: 401 } }])
  t.equal((await ask(stack)).status, 200)
  t.strictSame(asked(stack), ['a', 'b'])
  stack.simulator.reset()
  stack.simulator.script({ script: [{ failure: { status: 403 } }] })
  const reply = await ask(stack)
  t.equal(reply.status, 502)
  t.equal(reply.headers.get('x-korproxy-error'), 'KP-PROV-102')
  t.equal(reply.headers.get('retry-after'), null)
  t.equal((await ask(stack)).headers.get('x-korproxy-error'), 'KP-PROV-102', 'also when nobody is asked any more')
})

t.test('R3.4 the upstream call is cancelled when the client leaves', async (t) => {
  const stack = await withStack(t, [{ reply: { events: 2 } }, { hang: true }])
  const abort = new AbortController()
  const reply = await fetch(`${stack.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4o-mini', stream: true, messages: [{ role: 'user', content: 'Hi' }] }),
    signal: abort.signal,
  })
  await reply.body?.getReader().read()
  abort.abort()
  const [line] = await stack.settled(1)
  t.match(line, { account: 'a' })
  t.ok(stack.simulator.requests()[0]?.closedByClient, 'the provider saw the connection close')
  t.equal(stack.standalone.gateway.inFlight, 0)
})

function sse(...events: readonly unknown[]): string {
  return events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')
}

function content(text: string): unknown {
  return {
    id: 'c',
    object: 'chat.completion.chunk',
    created: 1,
    model: MODEL,
    choices: [{ index: 0, delta: { content: text } }],
  }
}

const MODEL = 'gpt-4o-mini'
const OVERLOADED = { error: { message: 'Overloaded', type: 'server_error', code: 529 } }
const STREAM_HEAD = { status: 200, headers: { 'content-type': 'text/event-stream' } }

for (const path of ['/v1/chat/completions', '/v1/messages']) {
  const body = { model: MODEL, max_tokens: 9, stream: true, messages: [{ role: 'user', content: 'Hi' }] }
  const stream = (stack: Stack): Promise<string> =>
    fetch(`${stack.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }).then((reply) => reply.text())

  t.test(
    `${path}: content and an error in one piece: nothing was shown yet, so the next account answers`,
    async (t) => {
      const stack = await withStack(t, [STREAM_HEAD, { write: sse(content('lost'), OVERLOADED) }, { end: true }])
      const text = await stream(stack)
      t.notMatch(text, /lost|error/)
      t.match(text, path === '/v1/messages' ? /message_stop/ : /\[DONE\]/)
      t.strictSame(asked(stack), ['a', 'b'])
    },
  )

  t.test(`${path}: later content in one piece with an error comes before the error`, async (t) => {
    const stack = await withStack(t, [
      STREAM_HEAD,
      { write: sse(content('one ')) },
      { sleep: 200 },
      { write: sse(content('two '), content('three'), OVERLOADED) },
      { end: true },
    ])
    const text = await stream(stack)
    t.match(text, /one [\s\S]*two [\s\S]*three[\s\S]*error/)
    t.notMatch(text, /message_stop|\[DONE\]/)
    t.strictSame(asked(stack), ['a'])
  })
}

t.test(
  'R2.4 Retry-After is the wait for the first account that is free again, not for the last that was asked',
  async (t) => {
    const stack = await startStack(t, MANIFESTS)
    for (const [key, retryAfterS] of [
      ['a', 8],
      ['b', 200],
      ['c', 90],
    ] as const) {
      stack.simulator.script({ match: { key: `sk-${key}` }, script: [{ failure: { status: 429, retryAfterS } }] })
    }
    const reply = await ask(stack)
    t.equal(reply.status, 429)
    t.match(reply.headers.get('retry-after') ?? '', /^[78]$/)
    t.match(reply.text, /Retrying in [78]s/)
  },
)

t.test(
  'the query of a translated request stays here: another API refuses parameters that it does not know',
  async (t) => {
    const stack = await startStack(t, MANIFESTS)
    const reply = await fetch(`${stack.url}/v1/messages?beta=true`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: MODEL, max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] }),
    })
    t.equal(reply.status, 200)
    t.strictSame(
      stack.simulator.requests().map((request) => request.path),
      ['/v1/chat/completions'],
    )
  },
)

t.test('R2.1 R2.7 the time that one account took is no latency of the next', async (t) => {
  const stack = await withStack(t, [{ sleep: 2_000 }, { reply: {} }])
  for (const stream of [false, true]) t.equal((await ask(stack, { stream })).headers.get('x-korproxy-account'), 'b')
  const status = await fetch(`${stack.url}/_korproxy/status`, { headers: { authorization: 'Bearer kpm-test' } })
  // What the gateway writes there.
  const { accounts: list } = (await status.json()) as { accounts: { name: string; score: { latencyMs: number } }[] }
  const latencyMs = list.find(({ name }) => name === 'b')?.score.latencyMs ?? 0
  t.ok(latencyMs > 0 && latencyMs < 400, `${latencyMs} ms`)
})

t.test('R2.4 nobody waits for a rate limit that ends after the deadline of the request', async (t) => {
  const patient = `${MANIFESTS.replace(/timeouts: .*/, 'timeouts: {request: 5s}\n  health: {whenAllUnavailable: FailFast}')}`
  const stack = await startStack(
    t,
    patient
      .replace('{name: a, priority: 0}, {name: b, priority: 1}', '{name: a}')
      .replace(/ +fallbackGroupRefs.*\n/, ''),
  )
  stack.simulator.script({ script: [{ failure: { status: 429, retryAfterS: 8 } }] })
  t.equal((await ask(stack)).status, 429)
  const startedAt = performance.now()
  const reply = await ask(stack)
  t.equal(reply.status, 429)
  t.equal(reply.headers.get('x-korproxy-error'), 'KP-PROV-110')
  t.ok(performance.now() - startedAt < 4_000, 'at once')
})

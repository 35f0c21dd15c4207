import t from 'tap'
import { accounts, type Stack, startStack, waitFor } from '../helpers/stack.ts'

const CHAT = '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hi"}]}'

function ask({ url }: Stack): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, { method: 'POST', body: CHAT })
}

t.test(
  'R13.3 more requests than allowed at one time are refused with 503 and Retry-After; then there is room again',
  async (t) => {
    const stack = await startStack(t, accounts(['a']), { limits: { maxInFlight: 10 } })
    stack.simulator.script({ times: 10, script: [{ sleep: 3_000 }, { reply: {} }] })
    const first = Array.from({ length: 10 }, () => ask(stack))
    await waitFor(
      () => stack.standalone.gateway.inFlight,
      (count) => count === 10,
    )
    const refused = await Promise.all(Array.from({ length: 50 }, () => ask(stack)))
    t.equal(stack.standalone.gateway.inFlight, 10, 'refused while the others are still under way')
    for (const reply of refused) {
      t.equal(reply.status, 503)
      t.equal(reply.headers.get('retry-after'), '1')
      t.equal(reply.headers.get('x-korproxy-error'), 'KP-SYS-501')
      t.equal(reply.headers.get('x-should-retry'), 'true')
      t.match(await reply.json(), { error: { message: String } })
    }
    const answered = await Promise.all(first)
    t.strictSame(
      answered.map(({ status }) => status),
      Array(10).fill(200),
    )
    await waitFor(
      () => stack.standalone.gateway.inFlight,
      (count) => count === 0,
    )
    const after = await Promise.all(Array.from({ length: 10 }, () => ask(stack)))
    t.strictSame(
      after.map(({ status }) => status),
      Array(10).fill(200),
    )
    t.equal(stack.simulator.requests().length, 20, 'what was refused reached nobody')
  },
)

t.test('R13.3 health and metrics answer while requests are refused', async (t) => {
  const stack = await startStack(t, accounts(['a']), { limits: { maxInFlight: 1 } })
  stack.simulator.script({ times: 1, script: [{ sleep: 500 }, { reply: {} }] })
  const slow = ask(stack)
  await waitFor(
    () => stack.standalone.gateway.inFlight,
    (count) => count === 1,
  )
  t.equal((await ask(stack)).status, 503)
  for (const path of ['/livez', '/readyz', '/metrics']) t.equal((await fetch(stack.url + path)).status, 200, path)
  t.equal((await slow).status, 200)
})

/** Keeps the event loop, which gateway and test share, for several turns. */
async function holdLoop({ turns, ms }: { turns: number; ms: number }): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, 1))
    const until = performance.now() + ms
    while (performance.now() < until);
  }
}

t.test('R13.3 two long turns of the event loop refuse nobody after them', async (t) => {
  const stack = await startStack(t, accounts(['a']), { limits: { maxLoopDelayMs: 2_000 } })
  t.equal((await ask(stack)).status, 200)
  const held = holdLoop({ turns: 2, ms: 2_500 })
  const asked = Array.from({ length: 20 }, () => ask(stack))
  await held
  for (const { status } of await Promise.all(asked)) t.equal(status, 200)
})

t.test('R13.3 an event loop that no longer keeps up refuses; once it does, requests are served again', async (t) => {
  const stack = await startStack(t, accounts(['a']), { limits: { maxLoopDelayMs: 100 } })
  const held = holdLoop({ turns: 20, ms: 400 })
  const refused = await waitFor(
    () => ask(stack),
    ({ status }) => status === 503,
  )
  t.equal(refused.status, 503)
  t.equal(refused.headers.get('x-korproxy-error'), 'KP-SYS-501')
  t.equal(refused.headers.get('retry-after'), '2')
  t.match(await refused.json(), { error: { message: /processor time/ } })
  await held
  const served = await waitFor(
    () => ask(stack),
    ({ status }) => status !== 503,
  )
  t.equal(served.status, 200)
})

t.test('clients that leave make room at once', async (t) => {
  const stack = await startStack(t, accounts(['a']), { limits: { maxInFlight: 20 } })
  stack.simulator.script({ times: 60, script: [{ reply: { events: 1 } }, { hang: true }] })
  for (let round = 0; round < 3; round += 1) {
    const abort = new AbortController()
    const replies = await Promise.all(
      Array.from({ length: 20 }, () =>
        fetch(`${stack.url}/v1/chat/completions`, {
          method: 'POST',
          body: CHAT.replace('{', '{"stream":true,'),
          signal: abort.signal,
        }),
      ),
    )
    t.strictSame(
      replies.map(({ status }) => status),
      Array(20).fill(200),
      `round ${round}`,
    )
    abort.abort()
    await waitFor(
      () => stack.standalone.gateway.inFlight,
      (count) => count === 0,
    )
  }
  t.equal(stack.standalone.gateway.inFlight, 0)
  const left = await waitFor(
    () => stack.simulator.requests().filter(({ closedByClient }) => !closedByClient).length,
    (count) => count === 0,
  )
  t.equal(left, 0, 'each call was cancelled')
})

t.test('load balancers that ask by HEAD are answered, and nobody else is asked', async (t) => {
  const stack = await startStack(t, accounts(['a']))
  for (const path of ['/livez', '/readyz', '/metrics']) {
    const reply = await fetch(`${stack.url}${path}`, { method: 'HEAD' })
    t.equal(reply.status, 200, path)
    t.equal(await reply.text(), '', path)
  }
  t.equal(stack.simulator.requests().length, 0)
})

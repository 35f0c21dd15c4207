import t from 'tap'
import { accounts, PRIMARY_AND_FALLBACK, type Stack, startStack, waitFor } from '../helpers/stack.ts'

const CHAT = '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hi"}]}'
const STREAM = '{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"Hi"}]}'

async function ask({ url }: Stack, body = CHAT): Promise<{ status: number; text: string; headers: Headers }> {
  const reply = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body })
  return { status: reply.status, text: await reply.text(), headers: reply.headers }
}

function profile(group: string, name = 'default'): string {
  return `
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: ${group}}
spec: {accountRefs: [{name: ${group}}]}
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: ${name}}
spec: {defaultProviderGroup: {name: ${group}}}
---`
}

function version(stack: Stack): string | undefined {
  return stack.standalone.gateway.table?.version
}

/** Waits until another table serves; gives the time it took. */
async function changed(stack: Stack, manifests: string): Promise<number> {
  const before = version(stack)
  const startedAt = performance.now()
  stack.configure(manifests)
  await waitFor(
    () => version(stack),
    (now) => now !== before,
  )
  if (version(stack) === before) throw new Error('the change was not applied')
  return performance.now() - startedAt
}

t.test('item 2: 200 streams under way are not touched by changes, good ones and broken ones', async (t) => {
  const both = accounts(['a', 'b'])
  const stack = await startStack(t, `${both}${profile('a')}`)
  stack.simulator.script({ match: { model: 'gpt-4o' }, script: [{ reply: { chunks: 40, gapMs: 100 } }] })
  const streams = Array.from({ length: 200 }, () => ask(stack, STREAM))
  await waitFor(
    () => stack.simulator.stats().inFlight,
    (count) => count === 200,
  )
  const times: number[] = []
  for (let round = 0; round < 6; round += 1) {
    stack.configure('this: is: no: yaml: [')
    times.push(await changed(stack, `${both}${profile(round % 2 === 0 ? 'b' : 'a')}`))
    const { status, headers } = await ask(stack)
    t.equal(status, 200)
    t.equal(headers.get('x-korproxy-account'), round % 2 === 0 ? 'b' : 'a', 'the new table serves new requests')
  }
  // The account that carries the streams goes, too.
  await changed(stack, `${accounts(['b'])}${profile('b')}`)
  const answers = await Promise.all(streams)
  t.equal(answers.filter(({ status, text }) => status === 200 && text.endsWith('data: [DONE]\n\n')).length, 200)
  const alike = new Set(answers.map(({ text }) => text.replaceAll(/mock\d+|"created":\d+/g, '')))
  t.equal(alike.size, 1, [...alike].join('\n----\n'))
  const slowest = Math.max(...times)
  t.ok(slowest <= 3_000, `the slowest change took ${Math.round(slowest)} ms under load`)
  t.equal(stack.standalone.gateway.inFlight, 0)
})

t.test('a broken file changes nothing and is told; a whole one heals it', async (t) => {
  const good = `${accounts(['a'])}${profile('a')}`
  const stack = await startStack(t, good)
  const before = version(stack)
  for (const broken of [
    'a: b: c',
    '\u0000\u0001',
    '{{{{',
    good.replace('provider: OpenAI', 'provider: Nonsense'),
    good.replace('kind: ProviderAccount', 'kind: ProviderAcount'),
  ]) {
    stack.configure(broken)
    await waitFor(
      () => stack.standalone.problems().length,
      (count) => count > 0,
    )
    t.ok(stack.standalone.problems().length > 0, broken.slice(0, 20))
    t.equal((await ask(stack)).status, 200, broken.slice(0, 20))
    t.equal((await ask(stack)).headers.get('x-korproxy-account'), 'a')
    stack.configure(good)
    await waitFor(
      () => stack.standalone.problems().length,
      (count) => count === 0,
    )
    t.strictSame(stack.standalone.problems(), [])
  }
  t.equal(version(stack), before)
})

t.test('a new secret of an account is used at once, and an account that was refused is asked again', async (t) => {
  const stack = await startStack(t, accounts(['a']))
  stack.simulator.script({ match: { key: 'sk-a' }, script: [{ failure: { status: 401 } }] })
  t.equal((await ask(stack)).status, 502)
  await changed(stack, accounts(['a']).replace('sk-a', 'sk-new'))
  t.equal((await ask(stack)).status, 200)
  t.equal(stack.simulator.requests().at(-1)?.key, 'sk-new')
})

t.test('an account that goes is asked no more; one that stays keeps what it has learnt', async (t) => {
  const stack = await startStack(t, accounts(['a', 'b']))
  stack.simulator.script({ match: { key: 'sk-a' }, script: [{ failure: { status: 429, retryAfterS: 60 } }] })
  for (let round = 0; round < 4; round += 1) t.equal((await ask(stack)).status, 200)
  const learnt = stack.standalone.gateway.registry.find('default', 'a')?.health.state('gpt-4o-mini', Date.now()).state
  t.equal(learnt, 'rate_limited')
  await changed(stack, accounts(['a', 'b', 'c']))
  t.equal(
    stack.standalone.gateway.registry.find('default', 'a')?.health.state('gpt-4o-mini', Date.now()).state,
    'rate_limited',
  )
  await changed(stack, accounts(['c']))
  stack.simulator.reset()
  for (let round = 0; round < 4; round += 1) t.equal((await ask(stack)).status, 200)
  t.strictSame([...new Set(stack.simulator.requests().map(({ key }) => key))], ['sk-c'])
})

t.test('the active profile can be switched while it serves', async (t) => {
  const both = `${accounts(['a', 'b'])}${profile('a', 'one')}${profile('b', 'two')}`
  const active = (name: string): string =>
    `${both}\napiVersion: korproxy.dev/v1alpha1\nkind: GatewayConfig\nmetadata: {name: default}\nspec: {activeProfileRef: {name: ${name}}}\n`
  const stack = await startStack(t, active('one'))
  t.equal((await ask(stack)).headers.get('x-korproxy-account'), 'a')
  const took = await changed(stack, active('two'))
  const { headers } = await ask(stack)
  t.equal(headers.get('x-korproxy-account'), 'b')
  t.equal(headers.get('x-korproxy-profile'), 'two')
  t.ok(took <= 3_000, `${Math.round(took)} ms`)
})

t.test('an empty folder is a configuration: requests are refused with a code, the process goes on', async (t) => {
  const stack = await startStack(t, accounts(['a']))
  await changed(stack, '# nothing\n')
  const { status, headers } = await ask(stack)
  t.ok(status >= 400, String(status))
  t.match(headers.get('x-korproxy-error'), /^KP-/)
  await changed(stack, accounts(['a']))
  t.equal((await ask(stack)).status, 200)
})

for (const [change, edit, answer] of [
  [
    'a rotated secret is the one that is sent',
    (text: string) => text.replace('apiKey: sk-b', 'apiKey: sk-b2'),
    'sk-b2',
  ],
  [
    'an account that was disabled is not asked',
    (text: string) => text.replace('{name: b}\nspec:', '{name: b}\nspec:\n  state: Disabled'),
    undefined,
  ],
] as const) {
  t.test(`R3.6 a change between two attempts of a request: ${change}`, async (t) => {
    const stack = await startStack(t, PRIMARY_AND_FALLBACK)
    stack.simulator.script({ match: { key: 'sk-a' }, script: [{ sleep: 1_500 }, { failure: { status: 401 } }] })
    const asked = ask(stack)
    await waitFor(
      () => stack.standalone.gateway.inFlight,
      (count) => count === 1,
    )
    await changed(stack, edit(PRIMARY_AND_FALLBACK))
    t.equal((await asked).status, answer === undefined ? 502 : 200)
    t.strictSame(
      stack.simulator.requests().map(({ key }) => key),
      ['sk-a', ...(answer === undefined ? [] : [answer])],
    )
    t.equal(stack.standalone.gateway.inFlight, 0)
  })
}

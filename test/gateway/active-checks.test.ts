import t from 'tap'
import { startStack, waitFor } from '../helpers/stack.ts'

const CHECKED = 'healthCheck: {state: Enabled, interval: 1s, timeout: 1s'

function account(name: string, healthCheck: string): string {
  return `
apiVersion: v1
kind: Secret
metadata: {name: ${name}}
stringData: {apiKey: sk-${name}}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: ${name}}
spec:
  provider: OpenAI
  baseURL: "{simulator}/v1"
  auth: {secretKeyRef: {name: ${name}}}
  ${healthCheck}
---`
}

const NAMES = ['failing', 'refused', 'limited', 'silent', 'fine', 'missing'] as const

const MANIFESTS = `${NAMES.map((name) => account(name, `${CHECKED}}`)).join('')}
${account('billed', `${CHECKED}, model: gpt-5-nano}`)}
${account('unchecked', 'models: {allow: [other]}')}
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: pool}
spec:
  accountRefs: [${NAMES.map((name) => `{name: ${name}}`).join(', ')}, {name: billed}, {name: unchecked}]
  health: {failureThreshold: 2, minimumSpread: 0s, erroringTimeout: 30m}
`

t.test('R2.7 active checks see an outage and its end without a client', async (t) => {
  const stack = await startStack(t, MANIFESTS)
  const { simulator } = stack
  const stateOf = (name: string, model?: string) =>
    stack.standalone.gateway.registry.find('default', name)?.health.state(model, Date.now())
  const wantState = async (name: string, state: string) => {
    const seen = await waitFor(
      () => stateOf(name)?.state,
      (found) => found === state,
    )
    t.equal(seen, state, `${name} is ${state}`)
  }
  const outage = { failing: '500', refused: '401', limited: '429r30', silent: 'hang', missing: '404' }
  for (const [name, script] of Object.entries(outage)) simulator.script({ match: { key: `sk-${name}` }, script })

  await wantState('failing', 'erroring')
  t.equal(stateOf('failing')?.lastError?.code, 'KP-PROV-100')
  t.equal(stateOf('failing', 'any-model')?.state, 'erroring', 'for every model')
  await wantState('refused', 'erroring')
  t.equal(stateOf('refused')?.cause, 'credential')
  await wantState('limited', 'rate_limited')
  await wantState('silent', 'erroring')
  t.equal(stateOf('silent')?.lastError?.code, 'KP-NET-302')
  t.equal(stateOf('fine')?.state, 'available')
  t.equal(stateOf('missing')?.state, 'available', 'a server without this path may work well otherwise')

  const asked = simulator.requests()
  const byKey = (name: string) => asked.filter(({ key }) => key === `sk-${name}`)
  t.ok(
    asked.every(({ method, path }) => `${method} ${path}` === 'GET /v1/models' || path === '/v1/chat/completions'),
    'only checks so far',
  )
  t.equal(byKey('unchecked').length, 0, 'who did not opt in is never asked')
  const billed = byKey('billed')[0]
  t.equal(billed?.path, '/v1/chat/completions')
  t.match(JSON.parse(Buffer.from(billed?.body ?? '{}').toString()), { model: 'gpt-5-nano', max_completion_tokens: 1 })
  t.ok(billed && byKey('billed').every(({ path }) => path !== '/v1/models'), 'one token of a model instead')

  const reply = await fetch(`${stack.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'hello' }] }),
  })
  t.equal(reply.status, 200)
  t.equal(reply.headers.get('x-korproxy-attempts'), '1', 'the client meets no account that is known to be down')
  t.ok(['fine', 'missing', 'billed'].includes(String(reply.headers.get('x-korproxy-account'))))

  simulator.reset()
  for (const name of ['failing', 'refused', 'silent']) await wantState(name, 'available')
  t.equal(stateOf('limited')?.state, 'rate_limited', 'a limit that the provider named is kept')
})

t.test('R2.7 a check that waits for a slow provider is not joined by the next', async (t) => {
  const stack = await startStack(t, account('slow', 'healthCheck: {state: Enabled, interval: 1s, timeout: 4s}'))
  stack.simulator.script({ script: 'hang' })
  await waitFor(
    () => stack.simulator.requests().length,
    (count) => count > 0,
  )
  await new Promise((resolve) => setTimeout(resolve, 2_500))
  t.equal(stack.simulator.requests().length, 1)
})

t.test('R2.7 a slow answer is an answer, and is told in the log', async (t) => {
  const stack = await startStack(
    t,
    account('slow', 'healthCheck: {state: Enabled, interval: 1s, timeout: 4s, degradedLatency: 100ms}'),
  )
  stack.simulator.script({ script: 'late300' })
  await waitFor(stack.log, (log) => log.includes('"slow":true'))
  t.match(stack.log(), /"account":"slow","outcome":"ok".*"slow":true/)
  t.equal(
    stack.standalone.gateway.registry.find('default', 'slow')?.health.state(undefined, Date.now()).state,
    'available',
  )
})

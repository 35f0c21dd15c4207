import t from 'tap'
import { type Rig, startRig } from '../helpers/gateway-rig.ts'
import { accounts } from '../helpers/stack.ts'

function manifests(group: string): string {
  return `${accounts(['a', 'b', 'c'])}
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: main}
spec:
  selectionStrategy: Priority
  ${group}
  retry: {sameAccountBackoff: {base: 1ms, max: 2ms}, maxRetryAfterWait: 0s}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: spare}
spec: {accountRefs: [{name: c}], retry: {sameAccountBackoff: {base: 1ms, max: 2ms}, maxRetryAfterWait: 0s}}
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: default}
spec: {defaultProviderGroup: {name: main}}
`
}

const PRIMARY_AND_SPARE = manifests('accountRefs: [{name: a}]\n  fallbackGroupRefs: [{name: spare}]')
const ALL_THREE = manifests('accountRefs: [{name: a, priority: 0}, {name: b, priority: 1}, {name: c, priority: 2}]')

interface Answer {
  readonly status: number
  readonly account: string
}

async function ask({ url }: Rig): Promise<Answer> {
  const reply = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    body: '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hi"}]}',
  })
  await reply.arrayBuffer()
  return { status: reply.status, account: reply.headers.get('x-korproxy-account') ?? '' }
}

/** Every account of the script fails as given, until the next call. */
function fail(rig: Rig, keys: readonly string[], script: readonly unknown[]): void {
  rig.simulator.reset()
  for (const key of keys) rig.simulator.script({ match: { key: `sk-${key}` }, script } as never)
}

const OUTAGES: Readonly<Record<string, readonly unknown[]>> = {
  'status 500': [{ failure: { status: 500 } }],
  'status 503': [{ failure: { status: 503, retryAfterS: 0 } }],
  resets: [{ reset: true }],
  'error events with status 200': [{ errorEvent: { kind: 'server_error' } }],
}
for (const [name, script] of Object.entries(OUTAGES)) {
  t.test(
    `60 s of ${name}, five times: the fallback answers every request, the primary is back 30 s after the end at the latest`,
    async (t) => {
      const rig = await startRig(t, PRIMARY_AND_SPARE)
      let asked = 0
      for (let outage = 0; outage < 5; outage += 1) {
        fail(rig, ['a'], script)
        const during = new Map<string, number>()
        // Two requests a second.
        for (let tick = 0; tick < 120; tick += 1) {
          rig.clock.nowMs += 500
          const { status, account } = await ask(rig)
          asked += 1
          during.set(`${status} ${account}`, (during.get(`${status} ${account}`) ?? 0) + 1)
        }
        t.strictSame([...during], [['200 c', 120]], `outage ${outage}`)
        t.ok(
          rig.simulator.requests().length < 150,
          `outage ${outage}: ${rig.simulator.requests().length} calls for 120 requests`,
        )
        fail(rig, [], [])
        let backAfterMs = 0
        while (backAfterMs < 60_000) {
          rig.clock.nowMs += 500
          backAfterMs += 500
          const { status, account } = await ask(rig)
          asked += 1
          t.equal(status, 200)
          if (account === 'a') break
        }
        t.ok(backAfterMs <= 30_000, `outage ${outage}: back after ${backAfterMs} ms`)
      }
      t.equal(rig.events.length, asked, 'one event a request')
      t.ok(
        rig.events.every(({ usage }) => usage?.input === 11 && usage.output === 7),
        'usage recorded once each',
      )
    },
  )
}

t.test('an account that flaps every 3 s for 60 s: nobody notices', async (t) => {
  const rig = await startRig(t, PRIMARY_AND_SPARE)
  const answers = new Map<number, number>()
  for (let tick = 0; tick < 120; tick += 1) {
    if (tick % 6 === 0) fail(rig, tick % 12 === 0 ? ['a'] : [], [{ failure: { status: 500 } }])
    rig.clock.nowMs += 500
    const { status } = await ask(rig)
    answers.set(status, (answers.get(status) ?? 0) + 1)
  }
  t.strictSame([...answers], [[200, 120]])
})

t.test('1 s of resets at 100 requests/s on all accounts: full service again 35 s later at the latest', async (t) => {
  const rig = await startRig(t, ALL_THREE)
  t.equal((await ask(rig)).status, 200)
  fail(rig, ['a', 'b', 'c'], [{ reset: true }])
  for (let tick = 0; tick < 100; tick += 1) {
    rig.clock.nowMs += 10
    t.not((await ask(rig)).status, 200)
  }
  t.ok(rig.simulator.requests().length >= 100, 'somebody is always tried')
  fail(rig, [], [])
  const failedAt: number[] = []
  let primaryAfterMs = 0
  for (let elapsedMs = 100; elapsedMs <= 35_000; elapsedMs += 100) {
    rig.clock.nowMs += 100
    const { status, account } = await ask(rig)
    if (status !== 200) failedAt.push(elapsedMs)
    if (account === 'a' && primaryAfterMs === 0) primaryAfterMs = elapsedMs
  }
  t.strictSame(failedAt, [], 'the least bad is tried, so the first request after the end is answered')
  const states = await Promise.all(
    ['a', 'b', 'c'].map(
      (name) => rig.gateway.registry.find('default', name)?.health.state(undefined, rig.clock.nowMs).state,
    ),
  )
  t.ok(primaryAfterMs > 0 && primaryAfterMs <= 35_000, `the primary is back after ${primaryAfterMs} ms`)
  t.equal(states[0], 'available')
  t.equal(rig.events.length, 1 + 100 + 350, 'one event a request')
})

t.test('a burst of resets within 100 ms ejects nobody', async (t) => {
  const rig = await startRig(t, ALL_THREE)
  fail(rig, ['a'], [{ reset: true }])
  for (let tick = 0; tick < 10; tick += 1) {
    rig.clock.nowMs += 10
    t.equal((await ask(rig)).status, 200)
  }
  fail(rig, [], [])
  rig.clock.nowMs += 10
  t.equal((await ask(rig)).account, 'a')
})

t.test('F28 all accounts at 429 for 60 s: nobody is hammered', async (t) => {
  const rig = await startRig(t, ALL_THREE)
  fail(rig, ['a', 'b', 'c'], [{ failure: { status: 429, retryAfterS: 0, message: 'slow down' } }])
  for (let tick = 0; tick < 240; tick += 1) {
    rig.clock.nowMs += 250
    const { status } = await ask(rig)
    t.equal(status, 429)
  }
  t.ok(rig.simulator.requests().length <= 288, `${rig.simulator.requests().length} calls for 240 requests`)
})

import t from 'tap'
import { ownControlPlane } from '../helpers/control-plane.ts'
import { startFleetRig } from './fleet-rig.ts'
import { failureOf, startTraffic } from './traffic.ts'

const RENAME = (name: string): string[] => [
  ...['patch', 'provideraccount', 'openai', '--type=merge'],
  ...['--patch', JSON.stringify({ spec: { displayName: name } })],
]
const AWAY_SECONDS = 20

t.test('F15 F18 the API server is away, then the controller too: requests do not notice, status follows', async (t) => {
  const plane = await ownControlPlane(t)
  t.setTimeout(240_000)
  const { fleet, becomes } = await startFleetRig(t, plane)
  const controller = await fleet.startController('controller-0')
  const first = await fleet.startGateway('gateway-0')
  const second = await fleet.startGateway('gateway-1')
  t.match(await becomes('provideraccount/openai', /^True Programmed 1/), 'True Programmed 1')
  const traffic = startTraffic(first.url)
  t.teardown(() => traffic.stop())

  const away = plane.restart('kube-apiserver', AWAY_SECONDS)
  await second.process.kill()
  const restartedMs = performance.now()
  const again = await fleet.startGateway('gateway-1')
  t.comment(
    `gateway restarted while the API server is away: ready after ${Math.round(performance.now() - restartedMs)} ms`,
  )
  t.equal(await failureOf(again.url), undefined)
  await away
  await plane.ready()
  const backMs = performance.now()
  await fleet.kubectl(RENAME('After the outage'))
  t.match(await becomes('provideraccount/openai', /^True Programmed 2/), 'True Programmed 2')
  t.comment(`status true ${Math.round(performance.now() - backMs)} ms after the API server was back`)

  plane.signal('kube-apiserver', 'SIGSTOP')
  await controller.process.kill()
  fleet.unroute(controller)
  await again.process.kill()
  const aloneMs = performance.now()
  const alone = await fleet.startGateway('gateway-1')
  t.comment(`gateway restarted with nobody there: ready after ${Math.round(performance.now() - aloneMs)} ms`)
  t.equal(await failureOf(alone.url), undefined)
  plane.signal('kube-apiserver', 'SIGCONT')
  await plane.ready()

  await fleet.startController('controller-0')
  await fleet.kubectl(RENAME('With a new controller'))
  t.match(await becomes('provideraccount/openai', /^True Programmed 3/), 'True Programmed 3')
  await traffic.stop()
  t.strictSame(traffic.failures, [])
  t.ok(traffic.requests > 100, `${traffic.requests} requests`)
  t.strictSame([...first.process.stray, ...alone.process.stray], [])
})

import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { ownControlPlane } from '../helpers/control-plane.ts'
import { eventually } from '../helpers/eventually.ts'
import { clusterScript, mustRun } from '../helpers/run-program.ts'
import { scratch } from '../helpers/stack.ts'
import { startFleetRig } from './fleet-rig.ts'
import { startTraffic } from './traffic.ts'

const FROZEN_MS = 60_000

function rename(name: string): string[] {
  const patch = JSON.stringify({ spec: { displayName: name } })
  return ['patch', 'provideraccount', 'openai', '--type=merge', '--patch', patch]
}

t.test(
  'F16 a leader that is frozen for a minute, and one that is killed: the successor goes on, nothing old comes back',
  async (t) => {
    const plane = await ownControlPlane(t)
    t.setTimeout(240_000)
    const directory = dirname(plane.kubeconfigPath)
    const folder = scratch(t)
    /** A controller with a name of its own in the audit log. */
    const kubeconfigOf = async (name: string): Promise<string> => {
      await mustRun(clusterScript('certificate'), [
        join(directory, 'pki'),
        name,
        `/O=system:masters/CN=${name}`,
        'clientAuth',
      ])
      const path = join(folder, name)
      writeFileSync(path, await mustRun(clusterScript('kubeconfig'), [directory, name, plane.url]))
      return path
    }
    const { fleet, becomes, field } = await startFleetRig(t, plane)
    const one = await fleet.startController('controller-1', { kubeconfigPath: await kubeconfigOf('controller-1') })
    await one.process.logged('leading')
    const two = await fleet.startController('controller-2', { kubeconfigPath: await kubeconfigOf('controller-2') })
    const gateways = [await fleet.startGateway('gateway-0'), await fleet.startGateway('gateway-1')]
    t.match(await becomes('provideraccount/openai', /^True Programmed 1/), 'True Programmed 1')
    const traffic = gateways.map(({ url }) => startTraffic(url))
    t.teardown(() => Promise.all(traffic.map(({ stop }) => stop())))

    one.process.signal('SIGSTOP')
    fleet.unroute(one)
    const frozenAt = Date.now()
    await two.process.logged('leading')
    t.comment(`the successor leads ${Date.now() - frozenAt} ms after the leader was frozen`)
    await fleet.kubectl(rename('While it was frozen'))
    const runs = async (): Promise<string[]> =>
      Promise.all(
        gateways.map(async ({ statusUrl }) => {
          const metrics = await (await fetch(`${statusUrl}/metrics`)).text()
          return /korproxy_config_info\{version="([^"]+)"/.exec(metrics)?.[1] ?? ''
        }),
      )
    const published = await two.process.logged(
      'routing table published',
      ({ time }) => Date.parse(String(time)) > frozenAt,
    )
    const current = [published['version'], published['version']]
    t.strictSame(await eventually(runs, (found) => found.every((version) => version === current[0]), 90_000), current)
    t.match(await becomes('provideraccount/openai', /^True Programmed 2/), 'True Programmed 2')

    await new Promise((resolve) => setTimeout(resolve, Math.max(0, frozenAt + FROZEN_MS - Date.now())))
    const appliedBefore = gateways.map(
      ({ process }) => process.lines.filter(({ msg }) => msg === 'routing table applied').length,
    )
    const thawedAt = Date.now()
    one.process.signal('SIGCONT')
    fleet.route(one)
    await one.process.logged('no longer leading')
    await fleet.kubectl(rename('After it was thawed'))
    t.match(await becomes('provideraccount/openai', /^True Programmed 3/), 'True Programmed 3')
    // What a gateway logs reaches this process through a pipe, later than its acknowledgement reaches the status.
    const applied = (): number[] =>
      gateways.map(
        ({ process }, at) =>
          process.lines.filter(({ msg }) => msg === 'routing table applied').slice(appliedBefore[at]).length,
      )
    const counts = await eventually(applied, (found) => found.every((count) => count > 0))
    t.strictSame(counts, [1, 1], 'of the thawed leader nothing but what is new')
    const writers = readFileSync(plane.auditLogPath, 'utf8')
      .split('\n')
      .filter((line) => line.includes('"subresource":"status"') && line.includes('korproxy.dev'))
      .map((line) => JSON.parse(line))
      .filter(({ requestReceivedTimestamp }) => Date.parse(requestReceivedTimestamp) > thawedAt)
      .map(({ user }) => user.username)
    t.strictSame([...new Set(writers)], ['controller-2'], 'only the successor writes status')

    await two.process.kill()
    fleet.unroute(two)
    await one.process.logged('leading', ({ time }) => Date.parse(String(time)) > thawedAt)
    await fleet.kubectl(rename('After it was killed'))
    t.match(await becomes('provideraccount/openai', /^True Programmed 4/), 'True Programmed 4')
    t.equal(await field('provideraccount/openai', '{.status.programmedGateways}'), '2/2')
    await Promise.all(traffic.map(({ stop }) => stop()))
    t.strictSame(
      traffic.flatMap(({ failures }) => failures),
      [],
    )
    t.strictSame(
      gateways.map(({ process }) => process.running),
      [true, true],
    )
  },
)

import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { compile } from '../src/compile/compile.ts'
import { parseResource } from '../src/resources/parse-resource.ts'
import { largeConfiguration, smallConfiguration } from './control-plane-objects.ts'
import { openSite, type Plane, type Site, startPlane } from './control-plane-rig.ts'
import { placesFor } from './places.ts'
import { machineDescription } from './processes.ts'
import { table, writeBlock } from './report.ts'

const USAGE = `Usage: npm run bench:control-plane -- [options]

Measures how soon a change of a resource runs on all gateways, on a real etcd and kube-apiserver (test/cluster), with real
controllers and gateways, all on loopback. Build first: npm run build.

  --changes N     changes per row (100)
  --gateways A,B  fleets (3,10)
  --write-docs    write the tables into docs/performance.md
  --help
`
const RECONNECTING = 50
const STARTS = 3
/** A change that comes while the one before is still on its way is another measurement. */
const PAUSE_MS = 60

interface Row {
  readonly what: string
  readonly measured: string
  readonly goal: string
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      changes: { type: 'string', default: '100' },
      gateways: { type: 'string', default: '3,10' },
      'write-docs': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(USAGE)
    return
  }
  const plane = await startPlane()
  try {
    const rows = [
      ...(await changeRows(plane, values.gateways.split(',').map(Number), Number(values.changes))),
      ...(await reconnectRows(plane)),
      ...(await largeRows(plane, Number(values.changes))),
    ]
    const text = table([['', 'measured', 'goal'], ...rows.map(({ what, measured, goal }) => [what, measured, goal])])
    process.stdout.write(`\n${text}\n`)
    const intro = `${new Date().toISOString().slice(0, 10)}, ${machineDescription()}; etcd, API server, controller, gateways and benchmark share the CPUs.`
    const page = join(placesFor(0).repository, 'docs', 'performance.md')
    if (values['write-docs']) writeBlock(page, 'bench:control-plane', `${intro}\n\n${text}`)
  } finally {
    await plane.stop()
  }
}

async function changeRows(plane: Plane, fleets: readonly number[], changes: number): Promise<Row[]> {
  const site = await openSite(plane, 'small', smallConfiguration())
  const rows: Row[] = []
  try {
    await startDebugController(site)
    let running = 0
    for (const gateways of fleets) {
      for (; running < gateways; running += 1) await site.fleet.startGateway(`gateway-${running}`)
      const plain = await measureChanges(site, gateways, changes, (at) =>
        site.patch('ProviderAccount', 'a', { spec: { displayName: `Change ${gateways} ${at}` } }),
      )
      rows.push({
        what: `change of an account, ${gateways} gateways, p50 / p99`,
        measured: plain,
        goal: 'p99 < 250 ms',
      })
      const urgent = await measureChanges(site, gateways, changes, (at) =>
        site.patch('GatewayConfig', 'default', {
          spec: { activeProfileRef: { name: at % 2 === 0 ? 'other' : 'work' } },
        }),
      )
      rows.push({
        what: `switch of the profile, ${gateways} gateways, p50 / p99`,
        measured: urgent,
        goal: 'p99 < 250 ms',
      })
    }
  } finally {
    await site.fleet.close()
  }
  return rows
}

/** From the API server's answer to the change to the last gateway's acknowledgement. */
async function measureChanges(
  { acknowledgements }: Site,
  gateways: number,
  changes: number,
  change: (at: number) => Promise<void>,
): Promise<string> {
  const samplesMs: number[] = []
  const warmUp = 10
  for (let at = 0; at < changes + warmUp; at += 1) {
    await sleep(PAUSE_MS)
    const before = acknowledgements.published.length
    await change(at)
    const changedMs = performance.now()
    const latencyMs = (await acknowledgements.all(before, gateways)) - changedMs
    if (at >= warmUp) samplesMs.push(latencyMs)
  }
  return percentiles(samplesMs)
}

/** The controller is killed, something changes meanwhile, and it comes back to all gateways at once. */
async function reconnectRows(plane: Plane): Promise<Row[]> {
  const site = await openSite(plane, 'reconnect', smallConfiguration())
  let clients: ChildProcess | undefined
  try {
    const names = Array.from({ length: RECONNECTING }, (_, at) => `gateway-${at}`)
    const first = await startDebugController(site)
    for (const name of names) await site.fleet.identity(name)
    const script = join(import.meta.dirname, 'table-clients.ts')
    const args = [script, site.fleet.controllerUrl, site.fleet.folder, ...names]
    clients = spawn(process.execPath, args, { stdio: ['pipe', 'inherit', 'inherit'] })
    await site.acknowledgements.all(0, RECONNECTING)
    const beforeMB = residentMB(first.process.pid)
    site.fleet.unroute(first)
    await first.process.kill()
    await site.patch('ProviderAccount', 'a', { spec: { displayName: 'While nobody looked' } })
    const before = site.acknowledgements.published.length
    const second = await startDebugController(site)
    const servesMs = performance.now()
    const allMs = (await site.acknowledgements.all(before, RECONNECTING)) - servesMs
    await sleep(3_000)
    const memory = `${beforeMB.toFixed(0)} MB before, ${residentMB(second.process.pid).toFixed(0)} MB after`
    return [
      {
        what: `${RECONNECTING} gateways back and current after a controller's restart`,
        measured: `${(allMs / 1_000).toFixed(1)} s`,
        goal: '≤ 10 s',
      },
      { what: `memory of the controller with ${RECONNECTING} gateways`, measured: memory, goal: '≤ 200 MB' },
    ]
  } finally {
    clients?.kill()
    await site.fleet.close()
  }
}

async function largeRows(plane: Plane, changes: number): Promise<Row[]> {
  const objects = largeConfiguration()
  const site = await openSite(plane, 'large', objects)
  try {
    const [startsMs, memoriesMB]: [number[], number[]] = [[], []]
    for (let round = 0; round < STARTS; round += 1) {
      const spawnedMs = performance.now()
      const before = site.acknowledgements.published.length
      const controller = await startDebugController(site)
      startsMs.push((site.acknowledgements.published[before]?.atMs ?? Number.NaN) - spawnedMs)
      await sleep(5_000)
      memoriesMB.push(residentMB(controller.process.pid))
      site.fleet.unroute(controller)
      await controller.process.kill()
    }
    await startDebugController(site)
    for (let at = 0; at < 3; at += 1) await site.fleet.startGateway(`gateway-${at}`)
    const latency = await measureChanges(site, 3, changes, (at) =>
      site.patch('ProviderAccount', 'account-0', { spec: { displayName: `Change ${at}` } }),
    )
    return [
      {
        what: '1,000 resources: start of the process to first table published',
        measured: `${median(startsMs).toFixed(0)} ms`,
        goal: '',
      },
      {
        what: '1,000 resources: memory of the controller',
        measured: `${median(memoriesMB).toFixed(0)} MB`,
        goal: '≤ 200 MB',
      },
      { what: '1,000 resources: one compilation, p50 / p99', measured: compileTimes(objects), goal: '' },
      { what: '1,000 resources: change of an account, 3 gateways, p50 / p99', measured: latency, goal: 'p99 < 250 ms' },
    ]
  } finally {
    await site.fleet.close()
  }
}

function compileTimes(objects: readonly object[]): string {
  const resources = objects.flatMap((manifest) => {
    const parsed = parseResource(manifest, { namespace: 'large' })
    return 'resource' in parsed ? [parsed.resource] : []
  })
  const secrets = [
    { namespace: 'large', name: 'key', labels: {}, uid: 'key', resourceVersion: '1', data: { apiKey: 'sk-bench' } },
  ]
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
  const samplesMs = Array.from({ length: 110 }, () => {
    const startedMs = performance.now()
    compile({ resources, secrets, externalCredentials: [] }, { defaultNamespace: 'large', sha256 })
    return performance.now() - startedMs
  })
  return percentiles(samplesMs.slice(10))
}

async function startDebugController({ fleet }: Site) {
  return fleet.startController('controller-0', { flags: ['--log-level', 'debug'] })
}

function residentMB(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) / 1024
}

function percentiles(samples: readonly number[]): string {
  const sorted = samples.toSorted((a, b) => a - b)
  const at = (share: number): string =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(0)
  return `${at(0.5)} / ${at(0.99)} ms`
}

function median(samples: readonly number[]): number {
  return samples.toSorted((a, b) => a - b)[Math.floor(samples.length / 2)] ?? Number.NaN
}

async function sleep(delayMs: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, delayMs))
}

await main()

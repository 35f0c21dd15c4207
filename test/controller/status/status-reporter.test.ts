import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { compile } from '#compile/compile.ts'
import { ApiClient } from '../../../src/controller/kube/api-client.ts'
import { openConnection } from '../../../src/controller/kube/connection.ts'
import { EventRecorder } from '../../../src/controller/kube/event-recorder.ts'
import { SYSTEM_TIME_AND_CHANCE } from '../../../src/controller/kube/time-and-chance.ts'
import { KubernetesSource } from '../../../src/controller/sources/kubernetes.ts'
import type { AccountReport } from '../../../src/controller/status/account-health.ts'
import type { GatewayAck } from '../../../src/controller/status/gateway-acks.ts'
import { objectHashes } from '../../../src/controller/status/object-hashes.ts'
import { StatusReporter } from '../../../src/controller/status/status-reporter.ts'
import { controlPlane } from '../../helpers/control-plane.ts'
import { sha256 } from './status-facts.ts'

const manifest = (kind: string, name: string, spec: object) => ({
  apiVersion: 'korproxy.dev/v1alpha1',
  kind,
  metadata: { name },
  spec,
})
const OBJECTS = [
  manifest('ProviderAccount', 'a', { provider: 'Mock' }),
  manifest('ProviderAccount', 'b', { provider: 'Mock' }),
  manifest('ProviderGroup', 'g', { accountRefs: [{ name: 'a' }, { name: 'b' }] }),
  manifest('RoutingProfile', 'work', { defaultProviderGroup: { name: 'g' } }),
  manifest('GatewayConfig', 'default', { activeProfileRef: { name: 'work' } }),
  manifest('UsagePolicy', 'p', { limits: [{ name: 'streams', metric: 'InFlight', max: '4' }] }),
  manifest('ModelCatalog', 'c', { families: [{ name: 'f', patterns: ['f-*'] }] }),
  manifest('GatewayClient', 'cl', { credentials: [{ name: 'k', sha256: 'a'.repeat(64) }] }),
]

t.test('R4.4 kubectl tells the truth: three gateways acknowledge, one refuses, an account fails', async (t) => {
  const plane = await controlPlane()
  const namespace = await plane.namespace(t)
  const kubectl = (...args: readonly string[]) => plane.kubectl(['-n', namespace, ...args])
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: OBJECTS })
  const applied = await plane.kubectl(['-n', namespace, 'apply', '--server-side', '-f', '-'], list)
  t.equal(applied.code, 0, applied.stderr)
  const client = new ApiClient(openConnection({ kubeconfigPath: plane.kubeconfigPath }))
  const world = SYSTEM_TIME_AND_CHANCE
  const failures: unknown[] = []
  let writes = 0
  const source = new KubernetesSource({
    client,
    world,
    namespaces: [namespace],
    log: { warn: (details, message) => t.comment(message, details) },
    onChange: () => reporter.refresh(),
    onObserved: () => reporter.refresh(),
  })
  const acks = new Map<string, Partial<GatewayAck>>([
    ['gw-0', {}],
    ['gw-1', {}],
    ['gw-2', {}],
  ])
  const reports = new Map<string, readonly AccountReport[]>()
  const hashes = new Map<string, ReadonlyMap<string, string>>()
  const reporter = new StatusReporter({
    client: {
      apply: (...args) => {
        writes += 1
        return client.apply(...args)
      },
    },
    world,
    leads: () => true,
    input: () => {
      const set = source.current()
      const { table, problems } = compile(set, { defaultNamespace: namespace, sha256 })
      hashes.set(table.version, objectHashes(table, set.resources, sha256))
      const gateways = [...acks].map(([name, ack]) => {
        const usual = { name, connected: true, version: table.version, result: 'ACK', diagnostics: [] } as const
        return { ...usual, ...ack }
      })
      const programmed = { version: table.version, gateways, objectHashes: hashes }
      return {
        objects: source.objects(),
        table,
        problems,
        programmed,
        reports,
        clients: new Map(),
        policies: new Map(),
      }
    },
    recorder: new EventRecorder({
      client,
      world,
      instance: 'controller-0',
      onFailure: (error) => failures.push(error),
    }),
    onFailure: (error) => failures.push(error),
  })
  await source.start()
  const running = reporter.run()
  t.teardown(async () => {
    reporter.close()
    await Promise.all([running, source.close()])
    await client.close()
  })
  const kinds = 'pacct,pgrp,rprof,kpgw,usagepol,mcat,gwclient'
  const ready = await kubectl('wait', '--for=condition=Programmed', '--timeout=20s', '--all', kinds)
  t.equal(ready.code, 0, ready.stderr)
  t.match((await kubectl('get', 'rprof', 'work', '--no-headers')).stdout, /^work +true +0 +g +True +3\/3/)
  t.match((await kubectl('get', 'kpgw', '--no-headers')).stdout, /^default +work +Disabled +3\/3 +True/)

  await sleep(1_500)
  t.equal(writes, OBJECTS.length, 'each object is written once, whatever came back')

  const old = [...hashes.keys()].at(-1) ?? ''
  const diagnostics = [{ code: 'KP-CONF-212', message: 'Table format 2 is not supported by this gateway.' }]
  acks.set('gw-2', { version: old, result: 'NACK', diagnostics })
  const lastError = { code: 'KP-NET-300', message: 'connection refused', atMs: Date.UTC(2026, 10, 21) }
  reports.set(`${namespace}/a`, [{ gateway: 'gw-0', state: 'erroring', sinceMs: Date.UTC(2026, 10, 21), lastError }])
  await kubectl('patch', 'rprof', 'work', '--type=merge', '-p', '{"spec":{"displayName":"Work"}}')
  const refused = await kubectl('wait', '--for=condition=Programmed=False', '--timeout=20s', 'rprof/work')
  t.equal(refused.code, 0, refused.stderr)
  const path = 'jsonpath={.status.conditions[?(@.type=="Programmed")].message}'
  t.equal(
    (await kubectl('get', 'rprof', 'work', '-o', path)).stdout,
    '2/3 gateways run it; pod gw-2 refused: KP-CONF-212 Table format 2 is not supported by this gateway.',
  )
  t.match((await kubectl('get', 'pacct', 'a', '-o', 'wide', '--no-headers')).stdout, /erroring +1 +False +KP-NET-300/)
  t.match((await kubectl('get', 'pgrp', 'g', '--no-headers')).stdout, /RoundRobin +1\/2 +True +3\/3/)
  await sleep(300)
  const events = (await kubectl('events', '--no-headers')).stdout
  t.match(events, /Warning +SnapshotRejected +RoutingProfile\/work/)
  t.match(events, /Warning +AccountErroring +ProviderAccount\/a/)
  t.strictSame(failures, [])
})

import { createHash, randomUUID } from 'node:crypto'
import { pino } from 'pino'
import { compile } from '../src/compile/compile.ts'
import { Gateway } from '../src/gateway/gateway.ts'
import { DEFAULT_LIMITS } from '../src/gateway/options.ts'
import { parseResource } from '../src/resources/parse-resource.ts'
import type { Resource, ResourceSet, SecretObject } from '../src/resources/resource.ts'
import { buildRouter } from '../src/routing/route.ts'
import type { RoutingTable } from '../src/table/routing-table.ts'
import { longestBlockMs, timeCalls } from './timing.ts'

/** Micro-benchmarks: what one route decision costs, and how long applying a large table blocks the event loop. */
const DECISIONS = 20_000
const NAMESPACE = 'default'

function resource(kind: string, name: string, spec: object): Resource {
  const parsed = parseResource(
    { apiVersion: 'korproxy.dev/v1alpha1', kind, metadata: { name }, spec },
    { namespace: NAMESPACE },
  )
  if ('problems' in parsed)
    throw new Error(parsed.problems.map(({ path, message }) => `${path}: ${message}`).join('; '))
  return parsed.resource
}

function compiled(resources: readonly Resource[], secrets: readonly SecretObject[]): RoutingTable {
  const set: ResourceSet = { resources, secrets, externalCredentials: [] }
  return compile(set, { defaultNamespace: NAMESPACE, sha256 }).table
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function secret(name: string, value: string): SecretObject {
  return { namespace: NAMESPACE, name, labels: {}, uid: name, resourceVersion: '1', data: { apiKey: value } }
}

/** Exact names, prefixes, inner globs, clients and headers by turns; the rule that matches is the last. */
function rules(count: number): object[] {
  return Array.from({ length: count }, (_, at) => ({
    name: `rule-${at}`,
    match: at === count - 1 ? { models: ['gpt-4o*'] } : otherMatch(at),
    providerGroups: [{ name: 'pool' }],
  }))
}

function otherMatch(at: number): object {
  const kinds = [
    { models: [`model-${at}`] },
    { models: [`team-${at}-*`] },
    { models: [`*-${at}-mini`] },
    { models: ['gpt-*'], clients: [`client-${at}`] },
    { headers: [{ name: 'x-team', value: `t${at}` }] },
  ]
  return kinds[at % kinds.length] ?? {}
}

function routeTimes(count: number): string {
  const table = compiled(
    [
      resource('ProviderAccount', 'a', { provider: 'Mock' }),
      resource('ProviderGroup', 'pool', { accountRefs: [{ name: 'a' }] }),
      resource('RoutingProfile', 'default', { rules: rules(count) }),
    ],
    [],
  )
  const tenant = table.core.tenants[NAMESPACE]
  if (tenant === undefined) throw new Error('no tenant')
  const router = buildRouter(tenant)
  const facts = (model: string) =>
    ({
      type: 'chat',
      model,
      client: undefined,
      profileHeader: undefined,
      headers: () => undefined,
      random: Math.random,
    }) as const
  const repeated = timeCalls(() => router.route(facts('gpt-4o-mini')), DECISIONS)
  const fresh = timeCalls((index) => router.route(facts(`gpt-4o-${index}`)), DECISIONS)
  const show = ({ p50Us, p99Us }: { p50Us: number; p99Us: number }): string =>
    `${p50Us.toFixed(1)} / ${p99Us.toFixed(1)}`
  return `| ${count} | ${show(repeated)} | ${show(fresh)} |`
}

/** A large installation: 500 accounts, 200 profiles, 5,000 clients. */
function largeConfiguration(): { readonly resources: Resource[]; readonly secrets: SecretObject[] } {
  const names = Array.from({ length: 500 }, (_, at) => `account-${at}`)
  const resources = names.map((name) =>
    resource('ProviderAccount', name, { provider: 'OpenAI', auth: { secretKeyRef: { name } } }),
  )
  for (let at = 0; at < 50; at += 1) {
    const members = names.slice(at * 10, at * 10 + 10).map((name) => ({ name }))
    resources.push(resource('ProviderGroup', at === 0 ? 'pool' : `group-${at}`, { accountRefs: members }))
  }
  for (let at = 0; at < 200; at += 1) resources.push(resource('RoutingProfile', `profile-${at}`, { rules: rules(10) }))
  for (let at = 0; at < 5_000; at += 1) {
    const credentials = [{ name: 'current', sha256: sha256(`key-${at}`) }]
    resources.push(resource('GatewayClient', `client-${at}`, { credentials }))
  }
  return { resources, secrets: names.map((name) => secret(name, `sk-${name}`)) }
}

async function applyTimes(): Promise<string[]> {
  const { resources, secrets } = largeConfiguration()
  const startedMs = performance.now()
  const table = compiled(resources, secrets)
  const compileMs = performance.now() - startedMs
  const gateway = new Gateway(
    {
      now: Date.now,
      monotonic: () => performance.now(),
      random: Math.random,
      newId: randomUUID,
      log: pino({ level: 'silent' }),
      record: () => undefined,
    },
    { version: 'bench', docsUrl: '', role: 'Cluster', privateAddresses: 'Deny', limits: DEFAULT_LIMITS },
    { tokens: { loadTokens: async () => undefined, saveTokens: async () => undefined }, health: {} },
  )
  const firstMs = await longestBlockMs(() => gateway.apply(table))
  const again = { ...table, version: 'sha256:again' }
  const againMs = await longestBlockMs(() => gateway.apply(again))
  await gateway.close()
  return [
    `compile, 500 accounts, 200 profiles, 5,000 clients: ${compileMs.toFixed(0)} ms`,
    `apply, first table: event loop blocked ${firstMs.toFixed(1)} ms (goal ≤ 30)`,
    `apply, changed table: event loop blocked ${againMs.toFixed(1)} ms (goal ≤ 30)`,
  ]
}

console.log('Route decision, µs p50 / p99 (goal ≤ 20 µs at p99 with 1,000 rules)\n')
console.log('| rules | a model seen before | a new model |')
console.log('|---|---|---|')
for (const count of [1, 100, 1_000]) console.log(routeTimes(count))
console.log('')
for (const line of await applyTimes()) console.log(line)

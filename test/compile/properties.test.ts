import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import type { Problem, ResourceSet } from '#resources/resource.ts'
import { compileSet, readManifests } from './load-case.ts'

const CASES = new URL('./cases/', import.meta.url)
const manifestOf = (name: string): string => readFileSync(new URL(`${name}/in.yaml`, CASES), 'utf8')
const versionOf = (set: ResourceSet): string => compileSet(set).table.version
const told = (problems: readonly Problem[]): string[] =>
  problems.map(({ ref, path, code, message }) => [ref.kind, ref.name, path, code, message].join(' ')).sort()

t.test('the order of the objects changes neither the table nor the problems', async (t) => {
  const names = readdirSync(CASES).filter((name) => !name.includes('.'))
  for (const name of names) {
    const set = await readManifests(manifestOf(name))
    const { table, problems } = compileSet(set)
    const all = (list: readonly unknown[]) => ({ minLength: list.length, maxLength: list.length })
    fc.assert(
      fc.property(
        fc.shuffledSubarray([...set.resources], all(set.resources)),
        fc.shuffledSubarray([...set.secrets], all(set.secrets)),
        (resources, secrets) => {
          const shuffled = compileSet({ ...set, resources, secrets })
          return (
            shuffled.table.version === table.version &&
            JSON.stringify(told(shuffled.problems)) === JSON.stringify(told(problems))
          )
        },
      ),
      { numRuns: 10 },
    )
    t.pass(name)
  }
})

t.test('a value of a Secret never changes the version, the resourceVersion of its object does', async (t) => {
  for (const name of ['everything', 'oauth2', 'azure']) {
    const set = await readManifests(manifestOf(name))
    const version = versionOf(set)
    const otherValue = set.secrets.map((secret) => ({
      ...secret,
      data: Object.fromEntries(
        // Clients are told apart by the digest of their key, which is part of the table.
        Object.entries(secret.data).map(([key, value]) => [key, key === 'client' ? value : `${value}-other`]),
      ),
    }))
    t.equal(versionOf({ ...set, secrets: otherValue }), version, `${name}: value`)
    const otherVersion = set.secrets.map((secret) => ({ ...secret, resourceVersion: '2' }))
    t.not(versionOf({ ...set, secrets: otherVersion }), version, `${name}: resourceVersion`)
    const otherObject = set.secrets.map((secret) => ({ ...secret, uid: 'another' }))
    t.not(versionOf({ ...set, secrets: otherObject }), version, `${name}: uid`)
  }
})

t.test('no value of a Secret stands in a problem or outside of the credentials', async (t) => {
  for (const name of ['everything', 'oauth2', 'missing-secrets']) {
    const set = await readManifests(manifestOf(name))
    const { table, problems } = compileSet(set)
    const shown = JSON.stringify([table.core, table.clients, problems])
    for (const secret of ['sk-account', 'kp-client-key', 'rt-1', 'cs-1', 'BEGIN CERTIFICATE']) {
      t.notOk(shown.includes(secret), `${name}: ${secret}`)
    }
  }
})

/** Each line: what is replaced by what in `everything`. All of it matters to a gateway. */
const CHANGES: readonly (readonly [string, string])[] = [
  ['provider: OpenAI', 'provider: Codex'],
  ['https://api.example.com/v1', 'https://api.example.com/v2'],
  ['organization: org-1', 'organization: org-2'],
  ['project: proj-1', 'project: proj-2'],
  ['{name: x-team, value: blue}', '{name: x-team, value: red}'],
  ['allow: ["gpt-*"]\n    deny', 'allow: ["o*"]\n    deny'],
  ['deny: ["gpt-3*"]', 'deny: ["gpt-4*"]'],
  ['upstream: gpt-5-mini', 'upstream: gpt-5'],
  ['list: [gpt-5]', 'list: [gpt-4o]'],
  ['multiplier: "0.85"', 'multiplier: "0.86"'],
  ['maxInFlight: 4', 'maxInFlight: 5'],
  ['state: Draining', 'state: Disabled'],
  ['interval: 10s', 'interval: 11s'],
  ['maxIdlePerHost: 5', 'maxIdlePerHost: 6'],
  ['proxy.example.com:3128', 'proxy.example.com:3129'],
  ['tls: {caSecretKeyRef: {name: keys}}', ''],
  ['numCtx: 8192', 'numCtx: 4096'],
  ['weight: 70', 'weight: 71'],
  ['priority: 1}]\n  accountSelector', 'priority: 2}]\n  accountSelector'],
  ['LatencyAware', 'Random'],
  ['header: X-Session', 'header: X-Other'],
  ['failureThreshold: 5', 'failureThreshold: 6'],
  ['retryAfter: Ignore', 'retryAfter: Honor'],
  ['budgetMin: 1', 'budgetMin: 2'],
  ['idle: 15s', 'idle: 16s'],
  ['fallbackGroupRefs: [{name: spare}]', ''],
  ['onUnsupported: Drop', 'onUnsupported: Error'],
  ['value: /a}', 'value: /b}'],
  ['modelFamilies: [house]', 'modelFamilies: [chat]'],
  ['modelOverride: gpt-5\n', 'modelOverride: gpt-4o\n'],
  ['retry: {attempts: 1', 'retry: {attempts: 2'],
  ['profileOverride: Allow', 'profileOverride: Deny'],
  ['expiresAt: "2026-12-31', 'expiresAt: "2027-12-31'],
  ['state: Suspended', 'state: Active'],
  ['patterns: ["house-*"]', 'patterns: ["home-*"]'],
  ['contextWindow: 1000', 'contextWindow: 1001'],
  ['activeProfileRef: {name: work}', 'activeProfileRef: {name: default}'],
  ['safeMode: {state: Enabled', 'safeMode: {state: Disabled'],
  ['clientAuth: {mode: Optional}', 'clientAuth: {mode: Required}'],
  ['beta: Enabled', 'beta: Disabled'],
  ['maxDepth: 32', 'maxDepth: 33'],
  ['requestAllow: [x-trace]', 'requestAllow: [x-span]'],
]

t.test('the version changes with everything that gateways use', async (t) => {
  const text = manifestOf('everything')
  const versions = new Set([versionOf(await readManifests(text))])
  for (const [from, to] of CHANGES) {
    t.ok(text.includes(from), `${from} is there`)
    const version = versionOf(await readManifests(text.replace(from, to)))
    t.notOk(versions.has(version), `${from.trim()} → ${to.trim()}`)
    versions.add(version)
  }
})

t.test('the version changes with every setting of an OAuth 2 authorisation', async (t) => {
  const text = manifestOf('oauth2')
  const before = versionOf(await readManifests(text))
  for (const [from, to] of [
    ['https://auth.example.com/token', 'https://auth.example.com/other'],
    ['clientID: abc', 'clientID: abd'],
    ['scopes: [read, write]', 'scopes: [read]'],
    ['clientAuthentication: Basic', 'clientAuthentication: Post'],
    ['bodyFormat: JSON', 'bodyFormat: Form'],
    ['value: t1', 'value: t2'],
    ['refreshLead: 10m', 'refreshLead: 11m'],
  ] as const) {
    t.not(versionOf(await readManifests(text.replace(from, to))), before, from)
  }
})

t.test('R2.1 `affinity.ttl` is accepted and changes nothing', async (t) => {
  const text = manifestOf('everything')
  const before = versionOf(await readManifests(text))
  for (const ttl of ['', ', ttl: 11m', ', ttl: 24h']) {
    const other = text.replace(', ttl: 10m', ttl)
    t.not(other, text)
    t.equal(versionOf(await readManifests(other)), before)
  }
})

t.test('what only people read does not change the version', async (t) => {
  const text = manifestOf('everything')
  const before = versionOf(await readManifests(text))
  const other = text.replace('metadata: {name: work}', 'metadata: {name: work, annotations: {note: hello}}')
  t.not(other, text)
  t.equal(versionOf(await readManifests(other)), before)
  t.equal(
    versionOf(await readManifests(text.replace('displayName: Work\n', 'displayName: Work\n  color: "#4f46e5"\n'))),
    before,
  )
})

t.test('one bad object hides no other: what is good works as if it stood alone', async (t) => {
  const good = `apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: good}
spec: {provider: Mock}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: good}
spec: {accountRefs: [{name: good}]}
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: good}
spec: {rules: [{name: r, providerGroups: [{name: good}]}], defaultProviderGroup: {name: good}}
---
apiVersion: korproxy.dev/v1alpha1
kind: GatewayClient
metadata: {name: good}
spec: {credentials: [{name: a, sha256: ${'ab'.repeat(32)}}], profileRef: {name: good}}
---
`
  const tenantOf = async (text: string) => {
    const { table } = compileSet(await readManifests(text))
    const { profiles, groups, accounts } = table.core.tenants['default'] ?? {}
    return {
      profile: profiles?.['good'],
      group: groups?.['good'],
      account: accounts?.['good'],
      client: table.clients.clients['default/good'],
      digest: table.clients.digests['ab'.repeat(32)],
    }
  }
  const alone = await tenantOf(good)
  for (const name of ['missing-references', 'missing-secrets', 'cyclic-fallbacks', 'duplicate-display-names']) {
    // Only the objects: `good` is in both, and one of the two is enough.
    const bad = manifestOf(name).replaceAll('{name: good}', '{name: also-good}')
    t.strictSame(await tenantOf(good + bad), alone, name)
  }
})

t.test('a profile of 1,000 rules keeps them all, in order', async (t) => {
  const rules = Array.from(
    { length: 1_000 },
    (_, index) => `  - {name: rule-${index}, match: {models: ["model-${index}-*"]}, providerGroups: [{name: pool}]}`,
  )
  const { table, problems } = compileSet(
    await readManifests(`apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: only}
spec: {provider: Mock}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: pool}
spec: {accountRefs: [{name: only}]}
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: large}
spec:
  rules:
${rules.join('\n')}
`),
  )
  t.strictSame(problems, [])
  const compiled = table.core.tenants['default']?.profiles['large']?.rules ?? []
  t.equal(compiled.length, 1_000)
  t.strictSame(compiled[0], {
    name: 'rule-0',
    match: { models: ['model-0-*'] },
    targets: [{ group: 'pool', priority: 0, weight: 100 }],
  })
  t.equal(compiled[999]?.name, 'rule-999')
})

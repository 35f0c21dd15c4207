import t from 'tap'
import { KINDS } from '#resources/kinds.ts'
import type { ObservedObject } from '../../../src/controller/sources/observed-objects.ts'
import type { CanaryFacts } from '../../../src/controller/status/gateway-acks.ts'
import { type ObjectStatus, statusOf } from '../../../src/controller/status/status-of.ts'
import { type Circumstances, factsOf, type Manifest, NOW_MS, observe } from './status-facts.ts'

const ACCOUNT: Manifest = { kind: 'ProviderAccount', name: 'a', spec: { provider: 'Mock' }, labels: { tier: 'paid' } }
const OTHER: Manifest = { kind: 'ProviderAccount', name: 'b', spec: { provider: 'Mock' } }
const GROUP: Manifest = { kind: 'ProviderGroup', name: 'g', spec: { accountRefs: [{ name: 'a' }, { name: 'b' }] } }
const PROFILE: Manifest = {
  kind: 'RoutingProfile',
  name: 'work',
  spec: { rules: [{ name: 'all', providerGroups: [{ name: 'g' }] }], defaultProviderGroup: { name: 'g' } },
}
const CONFIG: Manifest = { kind: 'GatewayConfig', name: 'default', spec: { activeProfileRef: { name: 'work' } } }
const ALL = [ACCOUNT, OTHER, GROUP, PROFILE, CONFIG]

function find(objects: readonly ObservedObject[], name: string): ObservedObject {
  const object = objects.find(({ ref }) => ref.name === name)
  if (object === undefined) throw new Error(`no object ${name}`)
  return object
}

function say(name: string, manifests: readonly Manifest[], circumstances: Circumstances = {}): ObjectStatus {
  const objects = observe(...manifests)
  return statusOf(find(objects, name), factsOf(objects, circumstances))
}

/** `Type=Status Reason`. */
const conditions = (status: ObjectStatus) => status.conditions.map((it) => `${it.type}=${it.status} ${it.reason}`)
const message = (status: ObjectStatus, type: string) => status.conditions.find((it) => it.type === type)?.message

t.test('R4.4 a good object that all gateways run', (t) => {
  const status = say('work', ALL, { gateways: [{}, {}, {}] })
  t.strictSame(conditions(status), [
    'Accepted=True Valid',
    'ResolvedRefs=True ResolvedRefs',
    'Programmed=True Programmed',
    'Ready=True Ready',
  ])
  t.match(status, { observedGeneration: 1, programmedGateways: '3/3', active: true, rules: 1 })
  t.match(status.configVersion, /^sha256:[0-9a-f]{64}$/)
  t.ok(status.conditions.every((it) => it.lastTransitionTime === '2026-11-21T12:00:00Z' && it.observedGeneration === 1))
  t.end()
})

t.test('R4.4 a gateway that refuses is named, with its reason', (t) => {
  const before = observe(ACCOUNT, OTHER, GROUP, { ...PROFILE, spec: { defaultProviderGroup: { name: 'g' } } })
  const diagnostics = [{ code: 'KP-CONF-212', message: 'Table format 2 is not supported by this gateway.' }]
  const refusing = { name: 'gw-7c9d', version: 'sha256:old', result: 'NACK', diagnostics } as const
  const circumstances = { gateways: [{}, {}, refusing], older: { 'sha256:old': before }, ageMs: 500 }
  const status = say('work', ALL, circumstances)
  t.strictSame(conditions(status).slice(2), ['Programmed=False SnapshotRejected', 'Ready=False SnapshotRejected'])
  t.equal(
    message(status, 'Programmed'),
    '2/3 gateways run it; pod gw-7c9d refused: KP-CONF-212 Table format 2 is not supported by this gateway.',
  )
  t.equal(status.programmedGateways, '2/3')
  const unchanged = say('g', ALL, circumstances)
  t.equal(unchanged.programmedGateways, '3/3', 'what is the same in the old table is in force there')
  t.match(conditions(unchanged)[2], 'Programmed=True')
  t.end()
})

t.test('R4.4 a gateway that lags is given ten seconds', (t) => {
  const lagging = { version: 'sha256:old', result: 'ACK' } as const
  const circumstances = { gateways: [{}, lagging], older: { 'sha256:old': [] } }
  t.match(conditions(say('work', ALL, { ...circumstances, ageMs: 9_000 })).slice(2), [
    'Programmed=Unknown Propagating',
    'Ready=Unknown Propagating',
  ])
  const late = say('work', ALL, { ...circumstances, ageMs: 10_000 })
  t.match(conditions(late)[2], 'Programmed=False GatewaysLagging')
  t.equal(message(late, 'Programmed'), '1/2 gateways run it; pod gw-1 lags behind.')
  t.match(conditions(say('work', ALL, { gateways: [] }))[2], 'Programmed=False NoGateways')
  t.end()
})

t.test('R4.4 a table that is withheld is told of the objects that it would have changed', (t) => {
  const withheld = {
    reason: 'KP-CONF-214 The table is too large',
    hashes: new Map([['ProviderGroup/team/g', 'other']]),
  }
  const { programmed } = factsOf(observe(...ALL))
  const hashes = programmed.objectHashes.get(programmed.version) ?? new Map()
  const facts = {
    programmed: { ...programmed, withheld: { ...withheld, hashes: new Map([...hashes, ...withheld.hashes]) } },
  }
  const changed = say('g', ALL, { facts })
  t.match(conditions(changed)[2], 'Programmed=False TableWithheld')
  t.equal(message(changed, 'Programmed'), 'KP-CONF-214 The table is too large. The last good table stays in use.')
  t.equal(changed.programmedGateways, '0/1')
  t.match(conditions(say('work', ALL, { facts }))[2], 'Programmed=True Programmed', 'what stays as it was is in force')
  t.end()
})

t.test('R4.4 a change that is tried on a canary waits, and one that is held says why', (t) => {
  const older = { version: 'sha256:old', result: 'ACK' } as const
  const circumstances = { gateways: [{}, older, older], older: { 'sha256:old': [] } }
  const { programmed } = factsOf(observe(...ALL), circumstances)
  const during = (canary: Partial<CanaryFacts> & Pick<CanaryFacts, 'phase'>) => ({
    ...circumstances,
    facts: { programmed: { ...programmed, canary: { version: programmed.version, gateways: ['gw-0'], ...canary } } },
  })
  const tried = say('work', ALL, during({ phase: 'Observing' }))
  t.match(conditions(tried)[2], 'Programmed=Unknown Canary')
  t.equal(message(tried, 'Programmed'), '1/3 gateways run it so far; it is tried on pod gw-0.')
  const next = say('work', ALL, during({ phase: 'Observing', version: 'sha256:old' }))
  t.equal(message(next, 'Programmed'), '1/3 gateways run it so far; an earlier change is tried on pod gw-0.')
  const held = say('work', ALL, during({ phase: 'Held', reason: 'requests fail more often since' }))
  t.match(conditions(held)[2], 'Programmed=False RolloutHeld')
  t.match(
    message(held, 'Programmed'),
    /the change is held, and the last good table .*: requests fail more often since\.$/,
  )
  t.end()
})

t.test('R4.4 an object that became invalid: the last valid form stays, and status says so', (t) => {
  const broken = { ...PROFILE, generation: 2, spec: { rules: [{ name: 'Not A Name', providerGroups: [] }] } }
  const status = say('work', [...ALL, broken])
  t.strictSame(conditions(status), [
    'Accepted=False Invalid',
    'ResolvedRefs=True ResolvedRefs',
    'Programmed=True Programmed',
    'Ready=False Invalid',
  ])
  t.match(message(status, 'Accepted'), /^KP-CONF-203 spec\.rules\[0\].*The last valid form stays in use\.$/)
  t.strictSame(
    status.conditions.map(({ observedGeneration }) => observedGeneration),
    [2, 2, 1, 2],
    'what runs is generation 1',
  )
  t.end()
})

t.test('R4.4 an object that was never valid', (t) => {
  const status = say('x', [{ kind: 'ProviderGroup', name: 'x', spec: {} }])
  t.strictSame(conditions(status), [
    'Accepted=False Invalid',
    'ResolvedRefs=Unknown NotAccepted',
    'Programmed=False NotAccepted',
    'Ready=False Invalid',
  ])
  t.end()
})

t.test('R4.4 what is missing is named', (t) => {
  const keyless: Manifest = {
    kind: 'ProviderAccount',
    name: 'a',
    spec: { provider: 'OpenAI', auth: { secretKeyRef: { name: 'nope' } } },
  }
  const status = say('a', [keyless, OTHER, GROUP])
  t.strictSame(conditions(status), [
    'Accepted=True Valid',
    'ResolvedRefs=False SecretNotFound',
    'Programmed=False NotInTable',
    'Ready=False SecretNotFound',
  ])
  t.equal(
    message(status, 'ResolvedRefs'),
    'KP-CONF-206 spec.auth.secretKeyRef: Secret nope does not exist in namespace team.',
  )
  const group = say('g', [keyless, GROUP])
  t.match(conditions(group)[1], 'ResolvedRefs=False ReferenceNotFound')
  t.match(group, { availableAccounts: '0/2', accounts: { total: 2, available: 0, disabled: 2 } })
  t.end()
})

t.test('R4.4 two profiles of one display name: the second is not accepted', (t) => {
  const twins = ['one', 'two'].map((name) => ({ ...PROFILE, name, spec: { ...PROFILE.spec, displayName: 'Twin' } }))
  t.match(conditions(say('one', [...ALL, ...twins]))[0], 'Accepted=True')
  t.match(conditions(say('two', [...ALL, ...twins]))[0], 'Accepted=False DuplicateDisplayName')
  t.end()
})

t.test('R4.4 the health of an account, as the gateways see it', (t) => {
  const limited = {
    health: 'rate_limited',
    sinceMs: NOW_MS - 5_000,
    untilMs: NOW_MS + 25_400,
    lastError: { code: 'KP-PROV-110', message: 'Provider rate limited.', atMs: NOW_MS - 5_000 },
    available: 1,
    rateLimited: 2,
  } as const
  const status = say('a', ALL, { health: { a: limited } })
  t.match(status, {
    health: 'rate_limited',
    healthSince: '2026-11-21T11:59:55Z',
    backoffUntil: '2026-11-21T12:00:25Z',
    lastErrorCode: 'KP-PROV-110',
    lastErrorMessage: 'Provider rate limited.',
    lastErrorTime: '2026-11-21T11:59:55Z',
    gatewayHealth: { available: 1, rateLimited: 2, erroring: 0 },
    groups: 1,
  })
  t.match(conditions(status)[3], 'Ready=True', 'it rests, and is fine')
  t.match(say('g', ALL, { health: { a: limited } }), { availableAccounts: '1/2', accounts: { rateLimited: 1 } })
  const erroring = say('a', ALL, { health: { a: { health: 'erroring', erroring: 1 } } })
  t.match(conditions(erroring)[3], 'Ready=False Erroring')
  const both = { a: { health: 'erroring' }, b: { health: 'rate_limited' } } as const
  t.match(conditions(say('g', ALL, { health: both }))[3], 'Ready=False NoAccountAvailable')
  t.match(say('b', ALL), { health: 'unknown' })
  const disabled = { ...ACCOUNT, spec: { provider: 'Mock', state: 'Disabled' } }
  t.match(say('a', [disabled, OTHER, GROUP]), { health: 'disabled' })
  t.match(say('g', [disabled, OTHER, GROUP]), { availableAccounts: '1/2', accounts: { disabled: 1 } })
  t.end()
})

t.test('R4.4 a group by labels, a policy with its clients, a catalogue, and what is not in use', (t) => {
  const byLabel: Manifest = {
    kind: 'ProviderGroup',
    name: 'paid',
    spec: { accountSelector: { matchLabels: { tier: 'paid' } } },
  }
  t.match(say('paid', [ACCOUNT, OTHER, byLabel]), { availableAccounts: '1/1' })
  const sha256 = 'a'.repeat(64)
  const client: Manifest = {
    kind: 'GatewayClient',
    name: 'ci',
    spec: { credentials: [{ name: 'k', sha256 }], usagePolicyRefs: [{ name: 'team-tier' }], state: 'Suspended' },
  }
  const policy: Manifest = {
    kind: 'UsagePolicy',
    name: 'team-tier',
    spec: { limits: [{ name: 'streams', metric: 'InFlight', max: '4' }] },
  }
  t.match(say('team-tier', [client, policy]), { limits: 1, clients: 1, exceeded: 0 })
  const used = new Map([['team/ci', { lastUsedMs: NOW_MS - 61_000, limitsExceeded: ['streams'] }]])
  const status = say('ci', [client, policy], { facts: { clients: used } })
  t.match(status, { lastUsedTime: '2026-11-21T11:55:00Z', limitsExceeded: ['streams'] })
  t.match(conditions(status)[3], 'Ready=False Suspended')
  const catalog: Manifest = {
    kind: 'ModelCatalog',
    name: 'base',
    spec: { families: [{ name: 'f', patterns: ['f-*'] }] },
  }
  t.match(say('base', [catalog]), { models: 0, families: 1 })
  t.match(conditions(say('spare', [...ALL, { ...CONFIG, name: 'spare' }]))[3], 'Ready=False NotInUse')
  t.end()
})

t.test('R4.8 an object with a warning is accepted, in the words of `config validate`', (t) => {
  const rules = [
    { name: 'all', providerGroups: [{ name: 'g' }] },
    { name: 'late', match: { clients: ['bott'] }, providerGroups: [{ name: 'g' }] },
  ]
  const status = say('work', [ACCOUNT, OTHER, GROUP, { ...PROFILE, spec: { rules } }, CONFIG])
  t.strictSame(conditions(status), [
    'Accepted=True ValidWithWarnings',
    'ResolvedRefs=True ResolvedRefs',
    'Programmed=True Programmed',
    'Ready=True Ready',
  ])
  t.equal(
    message(status, 'Accepted'),
    'KP-CONF-226 spec.rules[1].match.clients[0]: GatewayClient bott does not exist; KP-CONF-225 spec.rules[1]: never matches: rule all before it takes all its requests.',
  )
  t.end()
})

t.test('R4.4 GatewayConfig lists the gateways', (t) => {
  const diagnostics = [{ code: 'KP-CONF-213', message: 'hash mismatch' }]
  const status = say('default', ALL, {
    gateways: [
      { name: 'gw-b', lastAckTimeMs: NOW_MS },
      { name: 'gw-a', version: 'sha256:old', result: 'NACK', diagnostics },
      { name: 'gw-c', connected: false, version: 'sha256:old' },
    ],
  })
  t.match(status, {
    activeProfile: 'work',
    safeMode: 'Disabled',
    gateways: [
      { name: 'gw-a', configVersion: 'sha256:old', state: 'Rejected', message: 'KP-CONF-213 hash mismatch' },
      { name: 'gw-b', state: 'Programmed', lastAckTime: '2026-11-21T12:00:00Z' },
      { name: 'gw-c', state: 'Disconnected' },
    ],
  })
  t.end()
})

t.test('R4.4 the time of a transition stays while the status stays', (t) => {
  const first = say('work', ALL)
  const later = say('work', [...ALL, { ...PROFILE, status: first }], {
    gateways: [],
    facts: { nowMs: NOW_MS + 60_000 },
  })
  t.strictSame(
    later.conditions.map(({ type, lastTransitionTime }) => `${type} ${lastTransitionTime}`),
    [
      'Accepted 2026-11-21T12:00:00Z',
      'ResolvedRefs 2026-11-21T12:00:00Z',
      'Programmed 2026-11-21T12:01:00Z',
      'Ready 2026-11-21T12:01:00Z',
    ],
  )
  t.end()
})

t.test('F16 a new controller repeats what was said until the gateways have found it', (t) => {
  const before = say('work', ALL, { gateways: [{}, {}] })
  const again = [...ALL, { ...PROFILE, status: before }]
  const settling = { gateways: [], ageMs: 0, facts: { phase: 'Settling' } } as const
  t.match(conditions(say('work', again, settling))[2], 'Programmed=True')
  t.equal(say('work', again, settling).programmedGateways, '2/2')
  const changed = [...ALL, { ...PROFILE, generation: 2, status: before }]
  t.match(conditions(say('work', changed, settling))[2], 'Programmed=Unknown Propagating', 'of another generation')
  t.end()
})

t.test('every status fits the schema of its kind', (t) => {
  const objects = observe(...ALL)
  const facts = factsOf(objects, { health: { a: { health: 'erroring', erroring: 1, sinceMs: NOW_MS } } })
  for (const object of objects) {
    const result = KINDS[object.kind].status.safeParse(statusOf(object, facts))
    t.strictSame(result.error?.issues, undefined, `${object.kind}/${object.ref.name}`)
  }
  t.end()
})

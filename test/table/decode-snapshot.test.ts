import t, { type Test } from 'tap'
import { type DecodeContext, decodeSnapshot, missingSections, readManifest } from '../../src/table/decode-snapshot.ts'
import type { RoutingTable } from '../../src/table/routing-table.ts'
import { encodeSnapshot, type Snapshot } from '../../src/table/snapshot.ts'
import { type SectionName, TABLE_FORMATS, type TableFormat } from '../../src/table/table-formats.ts'
import { manifests, sha256, tableOf } from '../helpers/controller-rig.ts'

const [FORMAT_1] = TABLE_FORMATS
if (FORMAT_1 === undefined) throw new Error('no format')

async function sound(t: Test): Promise<Snapshot> {
  return encodeSnapshot(await tableOf(t, manifests()), FORMAT_1 as TableFormat, sha256)
}

/** A section that is replaced, with hashes that fit, as a controller with a defect would send it. */
function poison(snapshot: Snapshot, name: SectionName, text: string): Snapshot {
  const texts = { ...snapshot.texts, [name]: text }
  const sections = { ...snapshot.manifest.sections, [name]: { sha256: sha256(text), size: Buffer.byteLength(text) } }
  return { manifest: { ...snapshot.manifest, sections }, texts }
}

function decode({ manifest, texts }: Snapshot, context: Partial<DecodeContext> = {}): unknown {
  const decoded = decodeSnapshot(manifest, texts, { sha256, ...context })
  return decoded.result === 'Refused' ? decoded.refusal : decoded.result
}

t.test('R4.2 a sound snapshot gives the table that went in', async (t) => {
  const table = await tableOf(t, manifests())
  const snapshot = encodeSnapshot(table, FORMAT_1, sha256)
  t.equal(snapshot.manifest.version, table.version)
  const decoded = decodeSnapshot(snapshot.manifest, snapshot.texts, { sha256 })
  t.match(decoded, { result: 'Decoded', table: { version: table.version } })
  t.same(decoded.result === 'Decoded' ? decoded.table : undefined, JSON.parse(JSON.stringify(table)))
})

/** What is done to the core section, as text, and what the refusal says. */
const POISON: readonly [title: string, change: (core: string) => string, message: RegExp][] = [
  ['null', () => 'null', /^core: is null, not an object$/],
  ['a list', () => '[]', /^core: is not an object$/],
  ['a number', () => '1e400', /^core: is not an object$/],
  ['no JSON', () => '{"defaultTenant":', /^core is not valid JSON$/],
  ['nothing', () => '', /^core is not valid JSON$/],
  ['deep nesting', () => `${'['.repeat(100_000)}${']'.repeat(100_000)}`, /^core/],
  ['no tenants', () => '{"defaultTenant":"default"}', /^core: tenants is missing$/],
  ['a null tenant', () => '{"defaultTenant":"default","tenants":{"default":null}}', /^core: tenants.default is null/],
  [
    'a tenant that is nowhere',
    () => '{"defaultTenant":"default","tenants":{}}',
    /^defaultTenant default does not exist$/,
  ],
  ['a blank name', (core) => core.replace('"account":"b"', '"account":" "'), /members\[1\].account is blank$/],
  [
    'a null name',
    (core) => core.replace('"account":"b"', '"account":null'),
    /members\[1\].account is null, not a text$/,
  ],
  [
    'an account that is nowhere',
    (core) => core.replace('"account":"b"', '"account":"c"'),
    /members names c, which does not exist$/,
  ],
  [
    'a group that is nowhere',
    (core) => core.replace('"group":"pool"', '"group":"lost"'),
    /defaultTargets names lost, which does not exist$/,
  ],
  [
    'a circle',
    (core) => core.replaceAll('"fallbackGroups":[]', '"fallbackGroups":["pool"]'),
    /fallbackGroups leads in a circle$/,
  ],
  [
    'an unknown provider',
    (core) => core.replace('"provider":"OpenAI"', '"provider":"Skynet"'),
    /provider is none of OpenAI, /,
  ],
  ['an unknown strategy', (core) => core.replace('"RoundRobin"', '"Roulette"'), /strategy is none of RoundRobin, /],
  ['a negative weight', (core) => core.replace('"weight":100', '"weight":-1'), /weight is not within 0 and /],
  ['a fraction', (core) => core.replace('"weight":100', '"weight":0.5'), /weight is not a whole number$/],
  ['another name than its key', (core) => core.replace('"name":"pool"', '"name":"loop"'), /pool.name is not its key$/],
  [
    'an active profile that is nowhere',
    (core) => core.replace('"activeProfile":"default"', '"activeProfile":"x"'),
    /activeProfile names x/,
  ],
  [
    '__proto__',
    (core) => core.replace('"activeProfile":"default"', '"activeProfile":"__proto__"'),
    /activeProfile names __proto__/,
  ],
]

t.test('F26 a poisoned table is refused with a reason, and nothing is thrown', async (t) => {
  const snapshot = await sound(t)
  for (const [title, change, message] of POISON) {
    const core = change(snapshot.texts.core)
    t.not(core, snapshot.texts.core, `${title}: changed`)
    t.match(decode(poison(snapshot, 'core', core)), { reason: 'broken', message }, title)
  }
  const key = JSON.stringify({ digests: { abc: { client: 'default/nobody', name: 'k' } }, clients: {} })
  t.match(decode(poison(snapshot, 'clients', key)), {
    reason: 'broken',
    message: /client default\/nobody, which does not exist/,
  })
  const unknown = '{"default/a":{"type":"Magic","version":"1"}}'
  t.match(decode(poison(snapshot, 'credentials', unknown)), {
    reason: 'broken',
    message: /credentials: default\/a.type is none of APIKey/,
  })
})

t.test('F26 a refusal never quotes a credential', async (t) => {
  const snapshot = await sound(t)
  for (const text of [
    '{"default/a":"sk-secret-a"',
    '{"default/a":{"type":"sk-secret-a"}}',
    '{"default/a":{"type":"APIKey","version":"1","apiKey":["sk-secret-a"]}}',
  ]) {
    const refusal = decode(poison(snapshot, 'credentials', text))
    t.match(refusal, { reason: 'broken' })
    t.notMatch(JSON.stringify(refusal), /sk-secret/)
  }
})

t.test('F26 what was cut or altered on its way is refused', async (t) => {
  const snapshot = await sound(t)
  const { manifest, texts } = snapshot
  const { version } = manifest
  const cut = { ...texts, core: texts.core.slice(0, -10) }
  t.strictSame(decode({ manifest, texts: cut }), { reason: 'hash', version })
  t.strictSame(
    decode({ manifest, texts: { ...texts, credentials: texts.credentials.replace('sk-secret-a', 'sk-secret-b') } }),
    {
      reason: 'hash',
      version,
    },
  )
  // Sections that fit their own hashes, under the name of another table.
  const renamed = poison(snapshot, 'core', texts.core.replace('"displayName":"Account A"', '"displayName":"Account B"'))
  t.strictSame(decode(renamed), { reason: 'hash', version })
  const decoded = decodeSnapshot(manifest, { core: texts.core }, { sha256 })
  t.strictSame(decoded, { result: 'Refused', refusal: { reason: 'hash', version } })
})

t.test('F26 what is too large is refused before it is fetched', async (t) => {
  const { manifest } = await sound(t)
  const sections = { ...manifest.sections, clients: { ...manifest.sections.clients, size: 32 * 1024 * 1024 } }
  t.match(readManifest({ ...manifest, sections }), { result: 'Refused', refusal: { reason: 'too-large' } })
})

t.test('F26 100,000 globs are refused', async (t) => {
  const snapshot = await sound(t)
  const core: { tenants: { default: { families: unknown[] } } } = JSON.parse(snapshot.texts.core)
  for (let at = 0; at < 100; at += 1) {
    const patterns = Array.from({ length: 1_000 }, (_, index) => `model-${at}-${index}-*`)
    core.tenants.default.families.push({ name: `family-${at}`, patterns })
  }
  t.match(decode(poison(snapshot, 'core', JSON.stringify(core))), {
    reason: 'too-large',
    message: /model patterns; 50000 are allowed/,
  })
})

t.test('F26 no manifest of any kind is taken for one', async (t) => {
  for (const manifest of [
    null,
    undefined,
    1,
    'sha256:0',
    [],
    {},
    { format: 1 },
    { format: '1', version: '', sections: {} },
  ]) {
    t.match(decodeSnapshot(manifest, {}, { sha256 }), { result: 'Refused', refusal: { reason: 'broken' } })
  }
})

t.test('R4.2 a format that is not known is refused by its number', async (t) => {
  const { manifest, texts } = await sound(t)
  t.strictSame(decode({ manifest: { ...manifest, format: 9 }, texts }), { reason: 'format', format: 9 })
})

t.test('R4.2 a table in the format before is read too', async (t) => {
  const table = await tableOf(t, manifests())
  // In format 2, say, tenants are called spaces.
  const newer: TableFormat = {
    number: 2,
    write: ({ core, clients, credentials }) => ({
      core: { ...core, tenants: undefined, spaces: core.tenants },
      clients,
      credentials,
    }),
    read: ({ core, clients, credentials }) => {
      const { spaces, ...rest } = core as { spaces: unknown }
      return { core: { ...rest, tenants: spaces }, clients, credentials }
    },
  }
  const formats = [newer, FORMAT_1]
  for (const format of formats) {
    const { manifest, texts } = encodeSnapshot(table, format, sha256)
    t.match(decodeSnapshot(manifest, texts, { sha256, formats }), {
      result: 'Decoded',
      table: { format: 1, version: manifest.version, core: { tenants: { default: { name: 'default' } } } },
    })
  }
  t.strictSame(decode(encodeSnapshot(table, newer, sha256)), { reason: 'format', format: 2 })
})

t.test('R4.2 of a change of clients nothing else is fetched, parsed or checked again', async (t) => {
  const before = await sound(t)
  const first = decodeSnapshot(before.manifest, before.texts, { sha256 })
  if (first.result !== 'Decoded') throw new Error('refused')
  const table: RoutingTable = await tableOf(t, manifests({ clients: 2 }))
  const after = encodeSnapshot(table, FORMAT_1, sha256)
  t.strictSame(missingSections(after.manifest, before), ['clients'])
  t.strictSame(missingSections(after.manifest, undefined), ['core', 'clients', 'credentials'])
  const second = decodeSnapshot(after.manifest, { clients: after.texts.clients }, { sha256, previous: first })
  t.match(second, { result: 'Decoded', table: { version: table.version } })
  if (second.result !== 'Decoded') throw new Error('refused')
  t.equal(second.table.core, first.table.core)
  t.equal(second.table.credentials, first.table.credentials)
})

import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Places } from './places.ts'

/** The rules of each profile; the one that matches is the last. */
const RULES = 1000
const API_VERSION = 'korproxy.dev/v1alpha1'

/** The keys of the two clients: one whose requests pass through, one whose requests are translated. */
export const PASS_THROUGH_KEY = 'kp-bench-pass-through-0123456789abcdefghijkl'
export const TRANSLATED_KEY = 'kp-bench-translated-0123456789abcdefghijklmno'
export const TRANSLATED_MODEL = 'claude-bench'

/**
 * Writes the manifests that the benchmark serves and returns their folder: three OpenAI accounts in a weighted group,
 * one Anthropic account, two clients with a key and a profile of 1,000 rules each.
 */
export function writeKorproxyConfig(places: Places): string {
  const folder = join(places.run, 'korproxy-config')
  mkdirSync(folder, { recursive: true })
  const upstream = `http://127.0.0.1:${places.mockPort}`
  const manifests = [
    ...['openai-a', 'openai-b', 'openai-c'].flatMap((name) => account(name, 'OpenAI', `${upstream}/v1`)),
    ...account('anthropic-a', 'Anthropic', upstream),
    group('pool', [
      { name: 'openai-a', weight: 3 },
      { name: 'openai-b', weight: 2 },
      { name: 'openai-c', weight: 1 },
    ]),
    group('translated', [{ name: 'anthropic-a', weight: 1 }]),
    profile('pass-through', { models: ['gpt-4o*'] }, 'pool', 'translated'),
    profile('translated', { models: ['claude-*'] }, 'translated', 'pass-through'),
    client('pass-through', PASS_THROUGH_KEY),
    client('translated', TRANSLATED_KEY),
    manifest('GatewayConfig', 'default', {
      activeProfileRef: { name: 'pass-through' },
      clientAuth: { mode: 'Required' },
    }),
  ]
  // JSON is YAML: the loader under test reads it like any other manifest.
  writeFileSync(join(folder, 'bench.yaml'), manifests.map((object) => JSON.stringify(object)).join('\n---\n'))
  return folder
}

function manifest(kind: string, name: string, spec: object): object {
  return { apiVersion: API_VERSION, kind, metadata: { name }, spec }
}

function account(name: string, provider: string, baseURL: string): object[] {
  return [
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, labels: { 'korproxy.dev/credential': 'true' } },
      stringData: { apiKey: `sk-bench-${name}` },
    },
    manifest('ProviderAccount', name, { provider, baseURL, auth: { secretKeyRef: { name, key: 'apiKey' } } }),
  ]
}

function group(name: string, accountRefs: readonly object[]): object {
  return manifest('ProviderGroup', name, { accountRefs, selectionStrategy: 'Weighted' })
}

function profile(name: string, lastMatch: object, groupName: string, otherClient: string): object {
  const rules = Array.from({ length: RULES }, (_, index) => ({
    name: `rule-${index}`,
    match: index === RULES - 1 ? lastMatch : missingMatch(index, otherClient),
    providerGroups: [{ name: groupName }],
  }))
  return manifest('RoutingProfile', name, { rules, defaultProviderGroup: { name: groupName } })
}

/** Conditions that no request of the benchmark fulfils, of every kind that a rule can have. */
function missingMatch(index: number, otherClient: string): object {
  const kinds = [
    { models: [`tenant-${index}/chat`] },
    { models: [`tenant-${index}-*`] },
    { models: ['gpt-4o*', `claude-${index}-*`], clients: [otherClient] },
    { models: ['gpt-4o*', 'claude-*'], headers: [{ name: 'x-tenant', value: `tenant-${index}` }] },
    { requestTypes: ['embedding'], models: [`tenant-${index}-embedding`] },
  ]
  return kinds[index % kinds.length] ?? {}
}

function client(name: string, key: string): object {
  return manifest('GatewayClient', name, {
    credentials: [{ name: 'current', sha256: createHash('sha256').update(key).digest('hex') }],
    profileRef: { name },
  })
}

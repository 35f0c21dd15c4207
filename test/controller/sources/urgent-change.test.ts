import t from 'tap'
import { parseResource } from '#resources/parse-resource.ts'
import type { Resource } from '#resources/resource.ts'
import { isUrgent } from '../../../src/controller/sources/urgent-change.ts'

function resource(kind: string, spec: object): Resource {
  const value = { apiVersion: 'korproxy.dev/v1alpha1', kind, metadata: { name: 'x', namespace: 'team' }, spec }
  const result = parseResource(value, { namespace: 'team' })
  if (!('resource' in result)) throw new Error(JSON.stringify(result.problems))
  return result.resource
}
const account = (state: string, extra: object = {}) =>
  resource('ProviderAccount', { provider: 'Mock', state, ...extra })
const key = (digit: string) => ({ name: `k${digit}`, sha256: digit.repeat(64) })
const client = (state: string, ...credentials: object[]) => resource('GatewayClient', { state, credentials })
const config = (spec: object) => resource('GatewayConfig', spec)
const SAFE = { safeMode: { state: 'Enabled', providerGroupRef: { name: 'g' } } }

const TABLE: readonly (readonly [string, Resource | undefined, Resource | undefined, boolean])[] = [
  ['an account is disabled', account('Enabled'), account('Disabled'), true],
  ['an account is enabled again', account('Disabled'), account('Enabled'), true],
  ['an account is deleted', account('Enabled'), undefined, true],
  ['an account is new', undefined, account('Enabled'), false],
  ['an account changes its weight in the world', account('Enabled'), account('Enabled', { displayName: 'A' }), false],
  ['a client is revoked', client('Active', key('a')), client('Revoked', key('a')), true],
  ['a client loses a key', client('Active', key('a'), key('b')), client('Active', key('b')), true],
  ['a client gets a second key', client('Active', key('a')), client('Active', key('a'), key('b')), false],
  ['a client is deleted', client('Active', key('a')), undefined, true],
  [
    'another profile is active',
    config({ activeProfileRef: { name: 'a' } }),
    config({ activeProfileRef: { name: 'b' } }),
    true,
  ],
  ['safe mode', config({}), config(SAFE), true],
  ['a config without any switch is new', undefined, config({}), false],
  ['a first config turns safe mode on', undefined, config(SAFE), true],
  ['a log level', config({}), config({ logging: { level: 'debug' } }), false],
]

for (const [title, before, after, expected] of TABLE) {
  t.test(`R4.3 ${expected ? 'urgent' : 'not urgent'}: ${title}`, (t) => {
    t.equal(isUrgent(before, after), expected)
    t.end()
  })
}

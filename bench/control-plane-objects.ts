import { createHash } from 'node:crypto'
import { object, secretObject } from './control-plane-rig.ts'

/** What the latency of changes is measured with: a handful, as most installations have. */
export function smallConfiguration(): object[] {
  const account = (name: string): object =>
    object('ProviderAccount', name, { provider: 'OpenAI', auth: { secretKeyRef: { name: 'key' } } })
  return [
    secretObject('key'),
    account('a'),
    account('b'),
    object('ProviderGroup', 'pool', { accountRefs: [{ name: 'a' }, { name: 'b' }] }),
    object('RoutingProfile', 'work', { defaultProviderGroup: { name: 'pool' } }),
    object('RoutingProfile', 'other', { defaultProviderGroup: { name: 'pool' } }),
    object('GatewayConfig', 'default', { activeProfileRef: { name: 'work' }, clientAuth: { mode: 'Disabled' } }),
  ]
}

/** 1,000 resources: 350 accounts, 100 groups, 100 profiles of ten rules, 449 clients, one GatewayConfig. */
export function largeConfiguration(): object[] {
  const accounts = numbers(350).map((at) =>
    object('ProviderAccount', `account-${at}`, { provider: 'OpenAI', auth: { secretKeyRef: { name: 'key' } } }),
  )
  const groups = numbers(100).map((at) => {
    const accountRefs = numbers(3).map((offset) => ({ name: `account-${(at * 3 + offset) % 350}` }))
    return object('ProviderGroup', `group-${at}`, { accountRefs })
  })
  const profiles = numbers(100).map((at) => {
    const rules = numbers(10).map((rule) => ({
      name: `rule-${rule}`,
      match: { models: [`team-${at}-${rule}-*`] },
      providerGroups: [{ name: `group-${(at + rule) % 100}` }],
    }))
    return object('RoutingProfile', `profile-${at}`, { rules, defaultProviderGroup: { name: `group-${at}` } })
  })
  const clients = numbers(449).map((at) => {
    const digest = createHash('sha256').update(`key-${at}`).digest('hex')
    return object('GatewayClient', `client-${at}`, { credentials: [{ name: 'current', sha256: digest }] })
  })
  const config = object('GatewayConfig', 'default', { activeProfileRef: { name: 'profile-0' } })
  return [secretObject('key'), ...accounts, ...groups, ...profiles, ...clients, config]
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at)
}

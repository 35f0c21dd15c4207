import t from 'tap'
import { buildRouter, type RouteFacts } from '../../src/routing/route.ts'
import type { Tenant } from '../../src/table/routing-table.ts'
import { client, group, half, profile, rule, tenant } from './table-fixtures.ts'

const to = (name: string, priority = 0, weight = 1) => ({ group: name, priority, weight })

const facts = (given: Partial<RouteFacts> = {}): RouteFacts => ({
  type: 'chat',
  model: 'gpt-4o',
  client: undefined,
  profileHeader: undefined,
  headers: () => undefined,
  random: half,
  ...given,
})

const team = (changes: Partial<Tenant> = {}) =>
  tenant({
    activeProfile: 'work',
    families: [{ name: 'gpt', patterns: ['gpt-*'] }],
    groups: {
      capable: group('capable', [], { fallbackGroups: ['local'] }),
      local: group('local', [], { fallbackGroups: ['capable', 'last'] }),
      last: group('last', []),
    },
    profiles: {
      work: profile('work', [rule('gpt', { modelFamilies: ['gpt'] }, { targets: [to('capable')] })], [to('local')]),
      default: profile('default', [], [to('last')]),
      home: profile('home', [], [to('local')]),
    },
    ...changes,
  })

const routed = (configured: Tenant, given: Partial<RouteFacts> = {}) => {
  const { profile, rule, by, targets } = buildRouter(configured).route(facts(given))
  return `${profile} ${rule?.name ?? '-'} ${by}: ${targets.map(({ group, modelOverride }) => `${group}${modelOverride === undefined ? '' : `=${modelOverride}`}`).join(' ')}`
}

t.test('R1.4 the first matching rule gives the groups, then their fallback groups, each once', (t) => {
  t.equal(routed(team()), 'work gpt rule: capable local last')
  t.equal(routed(team(), { model: 'claude-x' }), 'work - default: local capable last')
  t.end()
})

t.test('R1.3 R1.5 header, client, active profile, default, the only one: the profile in this order', (t) => {
  const asked = client('bots', { profile: 'home', profileOverride: 'Allow' })
  t.match(routed(team(), { client: asked, profileHeader: 'default' }), /^default /)
  t.match(routed(team(), { client: asked }), /^home /)
  t.match(routed(team(), { client: client('bots') }), /^work /)
  t.match(routed(team(), { profileHeader: 'home' }), /^home /, 'without client authentication nobody is restricted')
  t.match(routed(team({ activeProfile: 'deleted' })), /^default /, 'R1.6')
  t.match(routed(team({ activeProfile: 'deleted', profiles: { home: profile('home', [], [to('local')]) } })), /^home /)
  t.end()
})

t.test('a profile that a caller or a client names must exist', (t) => {
  const router = buildRouter(team())
  t.throws(() => router.route(facts({ profileHeader: 'nope' })), { code: 'KP-CONF-219', details: { profile: 'nope' } })
  t.throws(() => router.route(facts({ client: client('bots', { profile: 'gone' }) })), { code: 'KP-CONF-219' })
  t.throws(() => router.route(facts({ profileHeader: 'constructor' })), { code: 'KP-CONF-219' })
  t.end()
})

t.test('R1.3 a client may name a profile only where its policy allows', (t) => {
  t.throws(() => buildRouter(team()).route(facts({ client: client('bots'), profileHeader: 'home' })), {
    code: 'KP-AUTH-007',
    details: { client: 'bots' },
  })
  t.end()
})

t.test('a tenant without any profile or target uses the group of all accounts', (t) => {
  t.equal(routed(tenant()), 'default - default: all-accounts')
  t.equal(routed(tenant({ profiles: { default: profile('default', []) } })), 'default - default: all-accounts')
  t.end()
})

t.test('targets go by priority; equals are drawn by weight, weight 0 last', (t) => {
  const targets = [to('spare', 1), to('zero', 0, 0), to('a', 0, 1), to('b', 0, 3)]
  const configured = team({ profiles: { work: profile('work', [], targets) }, groups: {} })
  const drawn = (value: number) => routed(configured, { random: () => value })
  t.equal(drawn(0), 'work - default: a b zero spare')
  t.equal(drawn(0.24), 'work - default: a b zero spare')
  t.equal(drawn(0.25), 'work - default: b a zero spare')
  t.equal(drawn(0.999), 'work - default: b a zero spare')
  t.end()
})

t.test("R1.4 a target's model stands before the rule's; fallback groups get the rule's", (t) => {
  const rewriting = (modelOverride?: string) =>
    team({
      profiles: {
        work: profile('work', [
          rule(
            'gpt',
            {},
            {
              targets: [{ ...to('capable'), modelOverride: 'claude-x' }, to('last', 1)],
              ...(modelOverride === undefined ? {} : { modelOverride }),
            },
          ),
        ]),
      },
    })
  t.equal(routed(rewriting('qwen3')), 'work gpt rule: capable=claude-x last=qwen3 local=qwen3')
  t.equal(routed(rewriting()), 'work gpt rule: capable=claude-x last local')
  t.end()
})

t.test('R12.2 safe mode sends everything to its group, but for clients that are exempt', (t) => {
  const safe = (state: 'Enabled' | 'Disabled') =>
    team({ safeMode: { state, group: 'last', model: 'claude-haiku-4-5' } })
  t.equal(routed(safe('Enabled')), 'work - safe-mode: last=claude-haiku-4-5')
  t.equal(routed(safe('Enabled'), { type: 'embedding' }), 'work - safe-mode: last')
  t.equal(
    routed(safe('Enabled'), { client: client('c', { safeMode: 'Disabled' }) }),
    'work gpt rule: capable local last',
  )
  t.equal(routed(safe('Disabled')), 'work gpt rule: capable local last')
  t.equal(
    routed(safe('Disabled'), { client: client('c', { safeMode: 'Enabled' }) }),
    'work - safe-mode: last=claude-haiku-4-5',
  )
  t.equal(routed(team(), { client: client('c', { safeMode: 'Enabled' }) }), 'work gpt rule: capable local last')
  t.end()
})

t.test("explain tells the family and every rule's verdict", (t) => {
  const { family, rules, profile: name } = buildRouter(team()).explain(facts({ model: 'claude-x' }))
  t.strictSame(
    { family, rules, name },
    {
      family: undefined,
      rules: [{ rule: 'gpt', verdict: 'failed', condition: 'modelFamilies', wanted: 'gpt', found: undefined }],
      name: 'work',
    },
  )
  t.equal(buildRouter(team()).explain(facts()).family, 'gpt')
  t.end()
})

t.test('R1.8 a model reaches what rules and headers leave open, up to the rule that takes all of its requests', (t) => {
  const router = buildRouter(
    team({
      profiles: {
        work: profile(
          'work',
          [
            rule('embeddings', { requestTypes: ['embedding'] }, { targets: [to('vectors')] }),
            rule('bots', { clients: ['bots'] }, { targets: [to('last')] }),
            rule('team', { headers: [{ name: 'x-team', type: 'Present' }] }, { targets: [to('team')] }),
            rule('old', { models: ['old-*'] }, { targets: [to('capable')], modelOverride: 'new' }),
            rule('chat', { models: ['gpt-*'], requestTypes: ['chat'] }, { targets: [to('local')] }),
          ],
          [to('rest')],
        ),
        default: profile('default', [rule('all', {}, { targets: [to('last')] })]),
        open: profile('open', []),
      },
    }),
  )
  const reach = (profileHeader: string | undefined, ...asked: Parameters<ReturnType<typeof router.reach>>) =>
    router
      .reach({ client: undefined, profileHeader })(...asked)
      .map(({ group, modelOverride }) => `${group}${modelOverride === undefined ? '' : `=${modelOverride}`}`)
      .join(' ')
  t.equal(reach('work', 'mine', undefined), 'vectors team rest')
  t.equal(reach('work', 'mine', ['chat']), 'team rest')
  t.equal(reach('work', 'gpt-5', ['chat']), 'team local capable last')
  t.equal(reach('work', 'gpt-5', ['chat', 'embedding']), 'vectors team local capable last rest')
  t.equal(reach('work', 'old-1', ['chat']), 'team capable=new local=new last=new')
  t.equal(reach('default', 'mine', undefined), 'last')
  t.equal(reach('open', 'mine', undefined), 'all-accounts')
  const bots = router.reach({ client: client('bots'), profileHeader: undefined })
  t.strictSame(
    bots('mine', ['chat']).map(({ group }) => group),
    ['last'],
  )
  t.throws(() => router.reach({ client: undefined, profileHeader: 'nope' }), { code: 'KP-CONF-219' })
  t.end()
})

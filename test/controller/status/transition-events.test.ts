import t from 'tap'
import { statusOf } from '../../../src/controller/status/status-of.ts'
import { transitionEvents } from '../../../src/controller/status/transition-events.ts'
import { type Circumstances, factsOf, type Manifest, observe } from './status-facts.ts'

const ACCOUNT: Manifest = { kind: 'ProviderAccount', name: 'a', spec: { provider: 'Mock' } }

function events(manifest: Manifest, before: Circumstances, after: Circumstances): string[] {
  const [first] = observe(manifest)
  if (first === undefined) throw new Error('nothing observed')
  const [object] = observe({ ...manifest, status: statusOf(first, factsOf([first], before)) })
  if (object === undefined) throw new Error('nothing observed')
  return transitionEvents(object, statusOf(object, factsOf([object], after))).map(
    ({ type, reason, note }) => `${type} ${reason}: ${note}`,
  )
}

t.test('R4.4 transitions become Events, and nothing else does', (t) => {
  const lastError = { code: 'KP-NET-300', message: 'refused', atMs: 0 }
  const erroring = { health: { a: { health: 'erroring', lastError } } } as const
  const available = { health: { a: { health: 'available' } } } as const
  t.strictSame(events(ACCOUNT, available, erroring), ['Warning AccountErroring: The account fails: KP-NET-300 refused'])
  t.strictSame(events(ACCOUNT, erroring, erroring), [])
  t.strictSame(events(ACCOUNT, erroring, available), ['Normal AccountRecovered: The account answers again.'])
  const diagnostics = [{ code: 'KP-CONF-213', message: 'hash mismatch' }]
  const refused: Circumstances = { gateways: [{ version: 'sha256:old', result: 'NACK', diagnostics }] }
  t.strictSame(events(ACCOUNT, {}, refused), [
    'Warning SnapshotRejected: 0/1 gateways run it; pod gw-0 refused: KP-CONF-213 hash mismatch.',
  ])
  t.strictSame(events(ACCOUNT, refused, {}), ['Normal Programmed: 1/1 gateways run it.'])
  t.strictSame(events(ACCOUNT, {}, { gateways: [{ version: 'sha256:old' }], ageMs: 0 }), [], 'still propagating')
  t.end()
})

t.test('R4.4 a warning of the compiler becomes an Event, once', (t) => {
  const profile: Manifest = {
    kind: 'RoutingProfile',
    name: 'default',
    spec: { rules: [{ name: 'claude', match: { modelFamilies: ['cloud'] }, providerGroups: [{ name: 'g' }] }] },
  }
  const group: Manifest = { kind: 'ProviderGroup', name: 'g', spec: { accountRefs: [{ name: 'a' }] } }
  const others = observe(ACCOUNT, group)
  const [object] = observe(profile)
  if (object === undefined) throw new Error('nothing observed')
  const status = statusOf(object, factsOf([object, ...others]))
  const note =
    'KP-CONF-226 spec.rules[0].match.modelFamilies[0]: no ModelCatalog in use has a model family cloud, and the built-in ones are embedding, completion, openai, claude, gemini, gemma, llama, qwen, mistral, deepseek, grok, kimi, glm, minimax, phi, command, nova.'
  t.match(transitionEvents(object, status)[0], { type: 'Warning', reason: 'ValidWithWarnings', note })
  const [again] = observe({ ...profile, status })
  if (again === undefined) throw new Error('nothing observed')
  t.strictSame(transitionEvents(again, statusOf(again, factsOf([again, ...others]))), [])
  t.end()
})

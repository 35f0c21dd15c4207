import { readFileSync } from 'node:fs'
import t from 'tap'
import { coreScalar, kubectlScalar } from '../../../src/controller/sources/kubectl-scalar.ts'

/** What sigs.k8s.io/yaml v1.6.0, the reader in kubectl, made of `v: <text>`. */
const RECORDED: Record<string, { value?: unknown; refused?: true }> = JSON.parse(
  readFileSync(new URL('./kubectl-scalars.json', import.meta.url), 'utf8'),
)

t.test('R4.7 unquoted values are what kubectl makes of them', (t) => {
  for (const [text, { value, refused }] of Object.entries(RECORDED)) {
    const scalar = kubectlScalar(text)
    if (refused) t.notOk(Number.isFinite(scalar), text)
    else t.equal(scalar, value, text)
  }
  t.ok(Object.keys(RECORDED).length >= 70)
  t.end()
})

t.test('R4.7 the thirteen values that readers of YAML disagree on', (t) => {
  const cases: [string, unknown, unknown][] = [
    ['On', true, 'On'],
    ['Off', false, 'Off'],
    ['yes', true, 'yes'],
    ['no', false, 'no'],
    ['y', true, 'y'],
    ['n', false, 'n'],
    ['012', 10, 12],
    ['0o14', 12, 12],
    ['0b11', 3, '0b11'],
    ['1_000', 1000, '1_000'],
    ['12:30:00', '12:30:00', '12:30:00'],
    ['2001-12-14', '2001-12-14', '2001-12-14'],
    ['1e3', 1000, 1000],
  ]
  for (const [text, kubectl, core] of cases) {
    t.equal(kubectlScalar(text), kubectl, `${text} for kubectl`)
    t.equal(coreScalar(text), core, `${text} for YAML 1.2`)
  }
  t.end()
})

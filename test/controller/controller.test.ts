import t from 'tap'
import { renderControllerState } from '../../src/cli/controller-state.ts'
import { ObservedObjects } from '../../src/controller/sources/observed-objects.ts'
import { manifestSet, manifests, readableLog, startController } from '../helpers/controller-rig.ts'

const HINT = { urgent: true, highWater: {} } as const
const BROKEN_CLIENT = `
apiVersion: korproxy.dev/v1alpha1
kind: GatewayClient
metadata: {name: broken}
spec: {credentials: [], colour: red}
---
`
const PROFILE = `
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: rules}
spec:
  rules:
  - name: theirs
    match: {clients: [broken]}
    providerGroups: [{name: pool}]
---
`

interface LogLine {
  readonly level: string
  readonly code?: string
  readonly object?: unknown
  readonly msg: string
}

function told(text: string): LogLine[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
    .filter(({ code, msg }) => code !== undefined || msg.includes('problems'))
}

t.test('R4.4 what is wrong with objects is logged once, counted, and its end is told', async (t) => {
  const { logger, text } = readableLog()
  const controller = startController(t, { log: logger.component('controller') })
  const bad = await manifestSet(t, `${BROKEN_CLIENT}${PROFILE}${manifests()}`)
  controller.configure(bad, HINT)
  controller.configure(bad, HINT)
  t.equal(controller.facts()?.problems.length, 1, 'those of the source are no matter of the compiler')
  const lines = told(text())
  t.strictSame(
    lines.map(({ level, code }) => `${level} ${code}`),
    ['error KP-CONF-203', 'error KP-CONF-204', 'warn KP-CONF-226'],
  )
  t.match(lines[1], { object: { kind: 'GatewayClient', namespace: 'default', name: 'broken' } })
  t.match(lines[2]?.msg, / spec\.rules\[0\]\.match\.clients\[0\]: GatewayClient broken is not valid$/)
  const state = {
    leads: true,
    publications: 1,
    publishedAtMs: undefined,
    watchAgesMs: new Map(),
    watchEvents: new Map(),
    statusFailures: 0,
  }
  const metrics = renderControllerState(controller, state).text
  t.match(metrics, 'korproxy_controller_problems{code="KP-CONF-204"} 1\n')
  t.match(metrics, 'korproxy_controller_problems{code="KP-CONF-226"} 1\n')
  controller.configure(await manifestSet(t, manifests()), HINT)
  t.match(told(text()).at(-1), { level: 'info', msg: 'the configuration has no problems any more' })
})

t.test(
  'R6.1 a client that cannot be read opens no door: its keys are unknown, and keys are still asked for',
  async (t) => {
    const controller = startController(t)
    controller.configure(await manifestSet(t, `${BROKEN_CLIENT}${manifests({ clients: 0 })}`), HINT)
    const table = controller.published
    t.strictSame(table?.clients, { digests: {}, clients: {} })
    t.equal(table?.core.tenants['default']?.clientAuth, 'Required')
  },
)

t.test('R4.4 a client whose new form cannot be read keeps the keys that it had', (t) => {
  const objects = new ObservedObjects()
  const spec = { credentials: [{ name: 'key', sha256: 'a'.repeat(64) }] }
  const form = (resourceVersion: string, generation: number, more: object) => ({
    apiVersion: 'korproxy.dev/v1alpha1',
    kind: 'GatewayClient',
    metadata: { name: 'c', namespace: 'team', uid: 'u', resourceVersion, generation },
    spec: { ...spec, ...more },
  })
  const [good, bad] = [form('1', 1, {}), form('2', 2, { colour: 'red' })]
  objects.apply('GatewayClient', [{ after: good }])
  objects.apply('GatewayClient', [{ before: good, after: bad }])
  t.match(objects.all(), [{ problems: [{ code: 'KP-CONF-204' }], resource: { spec } }])
  t.end()
})

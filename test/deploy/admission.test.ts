import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { controlPlane } from '../helpers/control-plane.ts'

const POLICIES = fileURLToPath(new URL('../../deploy/admission/', import.meta.url))

const profile = (name: string, spec: object = {}, annotations: object = {}) => ({
  apiVersion: 'korproxy.dev/v1alpha1',
  kind: 'RoutingProfile',
  metadata: { name, annotations },
  spec: { defaultProviderGroup: { name: 'g' }, ...spec },
})

t.test('R1.6 rules across objects, by the API server itself', async (t) => {
  const plane = await controlPlane({ controllers: true })
  const namespace = await plane.namespace(t)
  t.teardown(() => plane.kubectl(['delete', '--ignore-not-found', '--filename', POLICIES]))
  const applied = await plane.kubectl(['apply', '--server-side', '--filename', POLICIES])
  t.equal(applied.code, 0, applied.stderr)
  const create = (object: object) => plane.kubectl(['-n', namespace, 'create', '-f', '-'], JSON.stringify(object))
  const patch = (name: string, change: object) =>
    plane.kubectl(['-n', namespace, 'patch', 'rprof', name, '--type=merge', '-p', JSON.stringify(change)])
  const remove = (kind: string, name: string) => plane.kubectl(['-n', namespace, 'delete', kind, name, '--wait=false'])
  await create(profile('default'))
  await create(profile('work', { displayName: 'Work' }))
  await create(profile('spare', {}, { 'korproxy.dev/deletion': 'Allowed' }))

  // A new policy is in force after a moment.
  let refused = await create(profile('twin', { displayName: 'WORK' }))
  for (let attempt = 0; refused.code === 0 && attempt < 40; attempt += 1) {
    await remove('rprof', 'twin')
    await sleep(250)
    refused = await create(profile('twin', { displayName: 'WORK' }))
  }
  t.match(refused.stderr, 'KP-CONF-208: RoutingProfile work has the same display name')
  t.match(
    (await create(profile('other', { displayName: 'Spare' }))).stderr,
    'KP-CONF-208',
    'a name counts as a display name',
  )
  t.match((await patch('spare', { spec: { displayName: 'work' } })).stderr, 'KP-CONF-208')
  t.equal((await patch('work', { spec: { description: 'x' } })).code, 0, 'an object is no duplicate of itself')

  t.match((await remove('rprof', 'default')).stderr, 'KP-CONF-222: RoutingProfile default cannot be deleted')
  await create({
    apiVersion: 'korproxy.dev/v1alpha1',
    kind: 'GatewayConfig',
    metadata: { name: 'default' },
    spec: { activeProfileRef: { name: 'work' } },
  })
  let active = await remove('rprof', 'work')
  for (let attempt = 0; active.code === 0 && attempt < 40; attempt += 1) {
    await create(profile('work', { displayName: 'Work' }))
    await sleep(250)
    active = await remove('rprof', 'work')
  }
  t.match(
    active.stderr,
    'KP-CONF-222: RoutingProfile work is active in GatewayConfig default; make another profile active first',
  )
  t.equal((await remove('rprof', 'spare')).code, 0)
  await remove('kpgw', 'default')
  let freed = await remove('rprof', 'work')
  for (let attempt = 0; freed.code !== 0 && attempt < 40; attempt += 1) {
    await sleep(250)
    freed = await remove('rprof', 'work')
  }
  t.equal(freed.code, 0, 'nothing names it any more')

  const ending = `${namespace}-ending`
  await plane.kubectl(['create', 'namespace', ending])
  await plane.kubectl(['-n', ending, 'create', '-f', '-'], JSON.stringify(profile('default')))
  t.not((await plane.kubectl(['-n', ending, 'delete', 'rprof', 'default'])).code, 0)
  const gone = await plane.kubectl(['delete', 'namespace', ending, '--timeout=60s'])
  t.equal(gone.code, 0, 'a namespace takes its default profile with it')
})

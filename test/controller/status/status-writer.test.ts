import t, { type Test } from 'tap'
import { refusal } from '../../../src/controller/kube/api-error.ts'
import type { ApiAddress } from '../../../src/controller/kube/api-resource.ts'
import type { KubeObject } from '../../../src/controller/kube/kube-object.ts'
import type { ObservedObject } from '../../../src/controller/sources/observed-objects.ts'
import type { ObjectStatus } from '../../../src/controller/status/status-of.ts'
import { StatusWriter } from '../../../src/controller/status/status-writer.ts'
import { ManualTime, settle } from '../kube/manual-time.ts'

function object(name: string, status?: object): ObservedObject {
  const ref = { kind: 'ProviderAccount', namespace: 'team', name }
  return { kind: 'ProviderAccount', ref, uid: `uid-${name}`, generation: 1, status, problems: [] }
}

function saying(health: string, extra: object = {}): ObjectStatus {
  return { observedGeneration: 1, conditions: [], programmedGateways: '1/1', health, ...extra }
}

function rig(t: Test) {
  const world = new ManualTime()
  const writes: string[] = []
  const failures: string[] = []
  const state: { failure: Error | undefined; leads: boolean; hold: Promise<void> | undefined; busy: number } = {
    failure: undefined,
    leads: true,
    hold: undefined,
    busy: 0,
  }
  const answer: KubeObject = { metadata: { name: 'x', uid: 'u', resourceVersion: '1' } }
  const writer = new StatusWriter({
    client: {
      apply: async (address: ApiAddress, body: object, { fieldManager }) => {
        state.busy += 1
        await state.hold
        const { status } = body as { status: ObjectStatus }
        writes.push(`${address.name}/${address.subresource} ${status['health']} by ${fieldManager}`)
        if (state.failure) throw state.failure
        return answer
      },
    },
    world,
    leads: () => state.leads,
    onWritten: () => {},
    onFailure: (error, _, outcome) => failures.push(`${outcome} ${error instanceof Error ? error.name : ''}`),
  })
  const running = writer.run()
  t.teardown(async () => {
    writer.close()
    await running
  })
  const want = async (...statuses: { object: ObservedObject; status: ObjectStatus }[]) => {
    writer.want(statuses)
    await settle()
  }
  return { world, writer, writes, failures, state, want }
}

t.test('R4.4 only what means something else is written', async (t) => {
  const { writes, want } = rig(t)
  const said = saying('available', { configVersion: 'sha256:1' })
  await want({ object: object('a', said), status: said })
  await want({ object: object('a', said), status: { ...said, configVersion: 'sha256:2' } })
  t.strictSame(writes, [], 'another table that does the same with the object is no news')
  await want({ object: object('a', said), status: saying('erroring') })
  t.strictSame(writes, ['a/status erroring by korproxy-controller'])
  await want({ object: object('a', said), status: saying('erroring') })
  t.equal(writes.length, 1, 'our own write has not come back yet')
})

t.test('R4.4 changes of one object within a second are one write', async (t) => {
  const { writes, want, world } = rig(t)
  const a = object('a')
  for (const health of ['available', 'rate_limited', 'erroring', 'available', 'disabled']) {
    await want({ object: a, status: saying(health) })
  }
  t.strictSame(writes, ['a/status available by korproxy-controller'])
  await world.advance(1_000)
  t.strictSame(writes.slice(1), ['a/status disabled by korproxy-controller'])
})

t.test('R4.4 what somebody else wrote over our status is put right', async (t) => {
  const { writes, want, world } = rig(t)
  await want({ object: object('a'), status: saying('available') })
  await world.advance(5_000)
  await want({ object: object('a', saying('erroring')), status: saying('available') })
  t.equal(writes.length, 2)
})

t.test('R4.4 eight writes at a time', async (t) => {
  const { want, state, writes } = rig(t)
  let release = (): void => {}
  state.hold = new Promise((resolve) => {
    release = resolve
  })
  const many = Array.from({ length: 20 }, (_, at) => ({ object: object(`a${at}`), status: saying('available') }))
  await want(...many)
  t.equal(state.busy, 8)
  release()
  await settle()
  await settle()
  t.equal(writes.length, 20)
})

t.test('R4.6 only the leader writes; a new leader writes what is not said yet', async (t) => {
  const { want, state, writes, writer } = rig(t)
  state.leads = false
  const wanted = { object: object('a'), status: saying('available') }
  await want(wanted)
  t.strictSame(writes, [])
  state.leads = true
  writer.reset()
  await want(wanted)
  t.equal(writes.length, 1)
})

t.test('a failure that passes is tried again, one that lasts is not', async (t) => {
  const { want, state, writes, failures, world } = rig(t)
  state.failure = refusal('apply', 429, { reason: 'TooManyRequests' }, 3_000)
  await want({ object: object('a'), status: saying('available') })
  await world.advance(2_900)
  t.equal(writes.length, 1)
  state.failure = refusal('apply', 500, {
    message: 'failed to create typed patch object (a; ProviderAccount): .status',
  })
  await world.advance(100)
  t.equal(writes.length, 2)
  await world.advance(600_000)
  await want({ object: object('a'), status: saying('available') })
  t.equal(writes.length, 2, 'the schema will not change its mind')
  t.strictSame(failures, ['Retried KorProxyError', 'GivenUp KorProxyError'])
  state.failure = refusal('apply', 404, { reason: 'NotFound' })
  await want({ object: object('gone'), status: saying('available') })
  t.equal(failures.length, 2, 'deleted meanwhile')
})

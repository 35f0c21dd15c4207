import t from 'tap'
import { refusal } from '../../../src/controller/kube/api-error.ts'
import type { ApiAddress } from '../../../src/controller/kube/api-resource.ts'
import { EventRecorder, type RecordedEvent } from '../../../src/controller/kube/event-recorder.ts'
import type { KubeObject } from '../../../src/controller/kube/kube-object.ts'
import { ManualTime } from './manual-time.ts'

const EVENT: RecordedEvent = {
  ref: { kind: 'RoutingProfile', namespace: 'team', name: 'work' },
  uid: 'u1',
  type: 'Warning',
  reason: 'SnapshotRejected',
  action: 'Publish',
  note: '2/3 gateways run it',
}

function rig(failure?: Error) {
  const world = new ManualTime()
  const written: { readonly verb: string; readonly address: ApiAddress; readonly body: object }[] = []
  const answer: KubeObject = { metadata: { name: 'e', uid: 'u', resourceVersion: '1' } }
  const send = (verb: string) => async (address: ApiAddress, body: object) => {
    if (failure) throw failure
    written.push({ verb, address, body })
    return answer
  }
  const failed: unknown[] = []
  let dropped = 0
  const recorder = new EventRecorder({
    client: { create: send('create'), mergePatch: send('patch') },
    world,
    instance: 'controller-0',
    onFailure: (error) => failed.push(error),
    onDropped: () => {
      dropped += 1
    },
  })
  return { world, recorder, written, failed, dropped: () => dropped }
}

t.test('R4.4 an Event of events.k8s.io/v1', async (t) => {
  const { recorder, written } = rig()
  await recorder.record(EVENT)
  t.match(written, [
    {
      verb: 'create',
      address: { resource: { group: 'events.k8s.io' }, namespace: 'team' },
      body: {
        metadata: { namespace: 'team', name: /^work\.[0-9a-f]{12}$/ },
        eventTime: '2026-11-21T12:00:00.000000Z',
        reportingController: 'korproxy.dev/controller',
        reportingInstance: 'controller-0',
        regarding: { apiVersion: 'korproxy.dev/v1alpha1', kind: 'RoutingProfile', name: 'work', uid: 'u1' },
        type: 'Warning',
        reason: 'SnapshotRejected',
        action: 'Publish',
        note: '2/3 gateways run it',
      },
    },
  ])
})

t.test('R4.4 the same again is counted, and the count is written once a minute', async (t) => {
  const { recorder, written, world } = rig()
  for (let second = 0; second < 130; second += 1) {
    await recorder.record(EVENT)
    await world.advance(1_000)
  }
  t.strictSame(written.map(({ verb, body }) => [verb, body]).slice(1), [
    ['patch', { series: { count: 61, lastObservedTime: '2026-11-21T12:01:00.000000Z' } }],
    ['patch', { series: { count: 121, lastObservedTime: '2026-11-21T12:02:00.000000Z' } }],
  ])
})

t.test('R4.4 one object cannot flood the cluster', async (t) => {
  const { recorder, written, dropped } = rig()
  for (let at = 0; at < 100; at += 1) await recorder.record({ ...EVENT, note: `note ${at}` })
  await recorder.record({ ...EVENT, ref: { ...EVENT.ref, name: 'other' } })
  t.equal(written.length, 26)
  t.equal(dropped(), 75)
})

t.test('an Event that cannot be written is reported and does no harm', async (t) => {
  const { recorder, failed } = rig(refusal('create', 403, { reason: 'Forbidden' }))
  await recorder.record(EVENT)
  t.match(failed, [{ code: 'KP-SYS-530', status: 403 }])
})

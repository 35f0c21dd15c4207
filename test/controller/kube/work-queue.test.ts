import t from 'tap'
import { WorkQueue } from '../../../src/controller/kube/work-queue.ts'
import { ManualTime, settle } from './manual-time.ts'

/** A queue whose work ends when the test says so. */
function rig() {
  const world = new ManualTime()
  const queue = new WorkQueue(world)
  const started: string[] = []
  const finish = new Map<string, () => void>()
  const run = (workers: number) =>
    queue.run(workers, (key) => {
      started.push(key)
      return new Promise((resolve) => finish.set(key, resolve))
    })
  const done = async (key: string) => {
    finish.get(key)?.()
    await settle()
  }
  return { world, queue, started, run, done }
}

t.test('a key waits once, and never runs twice at the same time', async (t) => {
  const { queue, started, run, done } = rig()
  for (const key of ['a', 'b', 'a', 'a']) queue.add(key)
  t.equal(queue.length, 2)
  const running = run(8)
  await settle()
  queue.add('a')
  queue.add('a')
  await settle()
  t.strictSame(started, ['a', 'b'])
  await done('a')
  t.strictSame(started, ['a', 'b', 'a'], 'once more, for what came while it ran')
  await done('a')
  await done('b')
  t.strictSame(started, ['a', 'b', 'a'])
  queue.close()
  await running
})

t.test('so many at a time', async (t) => {
  const { queue, started, run, done } = rig()
  const running = run(2)
  for (const key of ['a', 'b', 'c']) queue.add(key)
  await settle()
  t.strictSame(started, ['a', 'b'])
  await done('b')
  t.strictSame(started, ['a', 'b', 'c'])
  queue.close()
  await done('a')
  await done('c')
  await running
})

t.test(
  'of several delays the shortest counts; retries take longer each time, until the key is forgotten',
  async (t) => {
    const { world, queue } = rig()
    queue.addAfter('a', 500)
    queue.addAfter('a', 100)
    queue.addAfter('a', 300)
    t.strictSame(world.waits, [100])
    await world.advance(100)
    t.equal(queue.length, 1)
    t.strictSame(world.waits, [])
    const waits: (number | undefined)[] = []
    for (let failure = 0; failure < 16; failure += 1) {
      queue.retry('b')
      waits.push(world.waits[0])
      await world.advance(60_000)
    }
    t.strictSame(waits.slice(0, 5), [5, 10, 20, 40, 80])
    t.equal(waits.at(-1), 60_000)
    queue.retry('c', 7_000)
    t.strictSame(world.waits, [7_000], 'as long as was asked for')
    queue.forget('b')
    queue.retry('b')
    t.strictSame(world.waits, [5, 7_000])
    queue.close()
    t.strictSame(world.waits, [])
  },
)

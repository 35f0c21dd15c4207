import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { BurstPace } from '../../src/gateway/burst-pace.ts'

/** A burst of requests; gives how many have begun. */
function burst(pace: BurstPace, requests: number): () => number {
  let begun = 0
  for (let at = 0; at < requests; at += 1) {
    const turn = pace.turn()
    if (turn === undefined) begun += 1
    else
      void turn.then(() => {
        begun += 1
      })
  }
  return () => begun
}

t.test(
  'while streams are open, a burst is spread over turns of the event loop, in order, and none is lost',
  async (t) => {
    const pace = new BurstPace()
    pace.streamOpened()
    const first = burst(pace, 24)
    const second = burst(pace, 16)
    const begun: number[][] = []
    for (let turn = 0; turn < 4; turn += 1) {
      begun.push([first(), second()])
      await setImmediate()
    }
    t.strictSame(begun, [
      [16, 0],
      [24, 8],
      [24, 16],
      [24, 16],
    ])
    t.equal(burst(pace, 3)(), 3, 'afterwards a request begins at once')
  },
)

t.test('without open streams all begin at once', async (t) => {
  const pace = new BurstPace()
  t.equal(burst(pace, 50)(), 50)
  pace.streamOpened()
  pace.streamOpened()
  pace.streamClosed()
  const begun = burst(pace, 50)
  t.ok(begun() < 50, 'one stream is still open')
  pace.streamClosed()
  t.equal(burst(pace, 50)(), 50)
  for (let turn = 0; turn < 20; turn += 1) await setImmediate()
  t.equal(begun(), 50)
})

import t from 'tap'
import { HeldPieces } from '#gateway/relay/held-pieces.ts'

const text = (taken: Uint8Array | string): string => (typeof taken === 'string' ? taken : Buffer.from(taken).toString())

t.test('pieces come out in their order, however they lie in memory', async (t) => {
  const chunk = Buffer.from('first second third')
  const held = new HeldPieces()
  held.add(chunk.subarray(0, 6))
  held.add(chunk.subarray(6, 13))
  held.add('– text –')
  held.add(chunk.subarray(13))
  held.add('')
  held.add(Buffer.from('!'))
  t.equal(text(held.take()), 'first second – text –third!')
  t.ok(held.isEmpty)
  t.equal(text(held.take()), '')
})

t.test('neighbours in memory are not copied', async (t) => {
  const chunk = Buffer.from('one two')
  const held = new HeldPieces()
  held.add(chunk.subarray(0, 4))
  held.add(chunk.subarray(4))
  const taken = held.take()
  t.equal(text(taken), 'one two')
  t.equal(typeof taken === 'string' ? undefined : taken.buffer, chunk.buffer)
})

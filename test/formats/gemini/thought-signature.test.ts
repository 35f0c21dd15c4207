import fc from 'fast-check'
import t from 'tap'
import { readThoughtSignature, writeThoughtSignature } from '#formats/gemini/thought-signature.ts'

t.test('R3.4 a signature of another issuer comes back as it left, in base64 of either alphabet', (t) => {
  fc.assert(
    fc.property(fc.constantFrom('anthropic', 'openai', 'other-1'), fc.string({ unit: 'binary' }), (issuer, value) => {
      const written = writeThoughtSignature({ issuer, value })
      if (!/^[A-Za-z0-9]+={0,2}$/.test(written) || written.length % 4 !== 0) throw new Error(written)
      const read = readThoughtSignature(written, 'gemini')
      if (read?.issuer !== issuer || read.value !== value.toWellFormed()) throw new Error(JSON.stringify(read))
    }),
  )
  t.end()
})

t.test('what Gemini made goes and comes untouched', (t) => {
  const value = 'CiQBcsjafKkA+/=='
  t.equal(writeThoughtSignature({ issuer: 'gemini', value }), value)
  t.same(readThoughtSignature(value, 'gemini'), { issuer: 'gemini', value })
  t.same(readThoughtSignature('a3Ax!', 'gemini'), { issuer: 'gemini', value: 'a3Ax!' })
  t.end()
})

t.test('the markers of calls without a signature are nobody’s', (t) => {
  for (const text of ['skip_thought_signature_validator', 'skip/thought/signature/validator', '']) {
    t.equal(readThoughtSignature(text, 'gemini'), undefined, text)
  }
  t.end()
})

t.test('the marker for clients is the documented one in the other alphabet', (t) => {
  t.equal(
    Buffer.from('skip/thought/signature/validator', 'base64').toString('base64url'),
    'skip_thought_signature_validator',
  )
  t.end()
})

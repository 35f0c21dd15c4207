import t from 'tap'
import { errors } from 'undici'
import { connectionFailure } from '#gateway/upstream/connection-failure.ts'

t.test('a request that the HTTP client refuses is no fault of the provider', (t) => {
  const { code, outcome } = connectionFailure(new errors.InvalidArgumentError('invalid authorization header'), 1000)
  t.equal(code, 'KP-SYS-500')
  t.strictSame(outcome, { kind: 'network', phase: 'connect' }, 'nothing was sent, so another account may be asked')
  t.end()
})

t.test('a reply that breaks HTTP is one', (t) => {
  const { code, outcome } = connectionFailure(new errors.HeadersOverflowError('too large'), 1000)
  t.equal(code, 'KP-NET-308')
  t.strictSame(outcome, { kind: 'bad-reply' })
  t.end()
})

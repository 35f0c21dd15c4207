import t from 'tap'
import { GatewayAuthenticator, type TokenReviewer } from '../../../src/controller/publish/gateway-authenticator.ts'
import { ManualTime } from '../kube/manual-time.ts'

const USER = 'system:serviceaccount:korproxy:korproxy-gateway'

function start(review: TokenReviewer): { world: ManualTime; authenticator: GatewayAuthenticator; reviews: string[] } {
  const world = new ManualTime()
  const reviews: string[] = []
  const authenticator = new GatewayAuthenticator({
    world,
    users: new Set([USER]),
    review: (token) => {
      reviews.push(token)
      return review(token)
    },
  })
  return { world, authenticator, reviews }
}

const byPod: TokenReviewer = async (token) => ({ username: USER, pod: { name: token, uid: 'u' } })

t.test('R4.2 a gateway is who its pod is', async (t) => {
  const { authenticator } = start(byPod)
  t.strictSame(await authenticator.authenticate('gateway-0'), { gateway: 'gateway-0' })
})

t.test('R4.2 whoever is no gateway is refused, and told why', async (t) => {
  const cases: readonly [TokenReviewer, string | undefined, RegExp][] = [
    [byPod, undefined, /it sent no token/],
    [byPod, '', /it sent no token/],
    [async () => undefined, 'x', /the token is not valid/],
    [
      async () => ({ username: 'system:serviceaccount:evil:evil' }),
      'x',
      /system:serviceaccount:evil:evil is no gateway/,
    ],
    [async () => ({ username: USER }), 'x', /the token is bound to no pod/],
  ]
  for (const [review, token, message] of cases) {
    await t.rejects(start(review).authenticator.authenticate(token), { code: 'KP-AUTH-010', status: 401, message })
  }
})

t.test('a review counts for ten minutes, and a new stream asks again', async (t) => {
  const { world, authenticator, reviews } = start(byPod)
  await authenticator.authenticate('gateway-0')
  await authenticator.authenticate('gateway-0')
  t.equal(reviews.length, 1)
  await authenticator.reauthenticate('gateway-0')
  t.equal(reviews.length, 2)
  await world.advance(600_000)
  await authenticator.authenticate('gateway-0')
  t.equal(reviews.length, 3)
})

t.test('a token that is not valid any more is refused from its next review on', async (t) => {
  let deleted = false
  const { world, authenticator } = start(async (token) => (deleted ? undefined : byPod(token)))
  await authenticator.authenticate('gateway-0')
  deleted = true
  await world.advance(600_000)
  await t.rejects(authenticator.authenticate('gateway-0'), { code: 'KP-AUTH-010' })
  await t.rejects(authenticator.authenticate('gateway-0'), { code: 'KP-AUTH-010' })
})

t.test('F15 while the API server is away those count that it has vouched for, and nobody else', async (t) => {
  let away = false
  const { world, authenticator } = start((token) => (away ? Promise.reject(new Error('away')) : byPod(token)))
  await authenticator.authenticate('gateway-0')
  away = true
  await world.advance(1_800_000)
  t.strictSame(await authenticator.reauthenticate('gateway-0'), { gateway: 'gateway-0' })
  await t.rejects(authenticator.authenticate('gateway-1'), { message: 'away' })
  await world.advance(1_800_000)
  await t.rejects(authenticator.authenticate('gateway-0'), { message: 'away' }, 'not for ever')
})

t.test('F27 twenty new connections a second are reviewed, the rest come again', async (t) => {
  const { world, authenticator, reviews } = start(byPod)
  const outcomes = await Promise.allSettled(
    Array.from({ length: 50 }, (_, at) => authenticator.authenticate(`gateway-${at}`)),
  )
  t.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 20)
  t.match(
    outcomes.find(({ status }) => status === 'rejected'),
    { reason: { code: 'KP-SYS-533', status: 429, retryAfterMs: 1_000 } },
  )
  t.equal(reviews.length, 20)
  await world.advance(500)
  const later = await Promise.allSettled(
    Array.from({ length: 30 }, (_, at) => authenticator.authenticate(`gateway-${at + 20}`)),
  )
  t.equal(later.filter(({ status }) => status === 'fulfilled').length, 10)
})

import { writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { KorProxyError } from '#errors/korproxy-error.ts'
import { resourceOfKind } from '../../../src/controller/kube/api-resource.ts'
import { Reflector } from '../../../src/controller/kube/reflector.ts'
import { ManualTime, until } from './manual-time.ts'
import {
  bookmark,
  ending,
  event,
  INITIAL_END,
  json,
  listOf,
  profile,
  refuse,
  type ScriptedApi,
  scriptedApi,
  status,
  watching,
} from './scripted-api.ts'

interface Rig extends ScriptedApi {
  readonly world: ManualTime
  readonly reflector: Reflector
  /** `+name@version`, `~name@version`, `-name`. */
  readonly told: string[]
  readonly troubles: { readonly status: number | undefined; readonly retryInMs: number }[]
  readonly counts: Record<string, number>
  start(): void
  names(): string[]
}

async function rig(t: Test): Promise<Rig> {
  const world = new ManualTime()
  const api = await scriptedApi(t, world)
  const told: string[] = []
  const troubles: { status: number | undefined; retryInMs: number }[] = []
  const counts: Record<string, number> = {}
  const reflector = new Reflector({
    client: api.client,
    address: { resource: resourceOfKind('RoutingProfile'), namespace: 'team' },
    world,
    listener: {
      changed: (changes) => {
        for (const { before, after } of changes) {
          const sign = before === undefined ? '+' : '~'
          if (after === undefined) told.push(`-${before?.metadata.name ?? ''}`)
          else told.push(`${sign}${after.metadata.name}@${after.metadata.resourceVersion}`)
        }
      },
      troubled: (error, retryInMs) =>
        troubles.push({ status: error instanceof KorProxyError ? error.status : undefined, retryInMs }),
      counted: (counter, amount) => {
        counts[counter] = (counts[counter] ?? 0) + amount
      },
      synced: () => {},
    },
  })
  const stop = new AbortController()
  let running: Promise<void> = Promise.resolve()
  t.teardown(async () => {
    stop.abort()
    await running
  })
  return {
    ...api,
    world,
    reflector,
    told,
    troubles,
    counts,
    start: () => {
      running = reflector.run(stop.signal)
    },
    names: () => [...reflector.objects.values()].map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`),
  }
}

const SYNC = watching(
  event('ADDED', profile('a', '10')),
  event('ADDED', profile('b', '11')),
  bookmark('20', INITIAL_END),
)

t.test('R4.6 the collection comes as a stream; changes and bookmarks move it on', async (t) => {
  const r = await rig(t)
  r.script(SYNC)
  r.start()
  await until(() => r.reflector.synced)
  t.strictSame(r.names(), ['a@10', 'b@11'])
  t.match(r.requests[0]?.query, {
    watch: 'true',
    sendInitialEvents: 'true',
    resourceVersionMatch: 'NotOlderThan',
    allowWatchBookmarks: 'true',
    timeoutSeconds: '45',
  })
  const [stream] = r.open
  stream?.write(event('MODIFIED', profile('a', '21')) + event('DELETED', profile('b', '22')))
  await until(() => r.told.includes('-b'))
  t.strictSame(r.told, ['+a@10', '+b@11', '~a@21', '-b'])
  await r.world.advance(10_000)
  stream?.end(bookmark('30'))
  await until(() => r.requests.length === 2)
  t.match(r.requests[1]?.query, { resourceVersion: '30' }, 'goes on where the bookmark was')
  t.notOk('sendInitialEvents' in (r.requests[1]?.query ?? {}))
})

t.test('R4.6 a server without streaming lists is listed page by page, then watched', async (t) => {
  const r = await rig(t)
  const page = { ...listOf('40', profile('a', '10')), metadata: { resourceVersion: '40', continue: 'next' } }
  r.script(refuse(422, 'Invalid'), json(200, page), json(200, listOf('40', profile('b', '11'))), watching())
  r.start()
  await until(() => r.requests.length === 4)
  t.strictSame(r.names(), ['a@10', 'b@11'])
  t.strictSame(
    r.requests.map(({ query }) => query['continue'] ?? query['resourceVersion'] ?? query['limit'] ?? 'stream'),
    ['stream', '500', 'next', '40'],
  )
})

t.test('R4.6 pages that expired in the middle are asked for all at once', async (t) => {
  const r = await rig(t)
  const page = { ...listOf('40', profile('a', '10')), metadata: { resourceVersion: '40', continue: 'next' } }
  const all = json(200, listOf('50', profile('a', '10'), profile('b', '45')))
  r.script(refuse(400, 'BadRequest'), json(200, page), refuse(410, 'Expired'), all, watching())
  r.start()
  await until(() => r.requests.length === 5)
  t.strictSame(r.names(), ['a@10', 'b@45'])
  t.strictSame(r.requests[4]?.query['resourceVersion'], '50')
})

t.test('F17 a watch that is closed at once is not stormed', async (t) => {
  const r = await rig(t)
  r.script(SYNC, ending())
  r.start()
  await until(() => r.reflector.synced)
  await r.world.advance(10_000)
  r.open[0]?.end()
  await until(() => r.requests.length === 2)
  const counts: number[] = []
  for (const waitMs of [375, 750, 1500, 3000, 6000, 12_000, 22_500, 22_500]) {
    await until(() => r.world.waits.includes(waitMs))
    counts.push(r.requests.length)
    await r.world.advance(waitMs)
    await until(() => r.requests.length === (counts.at(-1) ?? 0) + 1)
  }
  t.strictSame(counts, [2, 3, 4, 5, 6, 7, 8, 9], 'one request a wait')
  t.strictSame(r.names(), ['a@10', 'b@11'], 'the copy stays')
})

for (const [where, answer] of [
  ['over HTTP', refuse(410, 'Expired')],
  ['in the stream', ending(event('ERROR', status(410, 'Expired', 'too old resource version')))],
] as const) {
  t.test(`F17 410 ${where}: everything is listed again, and what is gone is told`, async (t) => {
    const r = await rig(t)
    const again = watching(
      event('ADDED', profile('b', '11')),
      event('ADDED', profile('c', '50')),
      bookmark('60', INITIAL_END),
    )
    r.script(SYNC, answer, again)
    r.start()
    await until(() => r.reflector.synced)
    await r.world.advance(40_000)
    r.open[0]?.end()
    await until(() => r.counts['Relists'] === 1)
    t.strictSame(r.told.slice(2), ['-a', '+c@50'], 'b has not changed')
    t.strictSame(r.names(), ['b@11', 'c@50'])
    t.match(r.troubles, [{ retryInMs: 0 }])
  })
}

t.test('F17 410 again and again is answered with patience', async (t) => {
  const r = await rig(t)
  const thenGone = ending(
    event('ADDED', profile('a', '10')),
    bookmark('20', INITIAL_END),
    event('ERROR', status(410, 'Gone')),
  )
  r.script(thenGone)
  r.start()
  await until(() => r.troubles.length === 1)
  await r.world.advance(375)
  await until(() => r.troubles.length === 2)
  t.match(r.troubles, [{ retryInMs: 375 }, { retryInMs: 750 }])
})

t.test('F17 429 is waited out as long as the server asks', async (t) => {
  const r = await rig(t)
  r.script(json(429, status(429, 'TooManyRequests'), { 'retry-after': '7' }), SYNC)
  r.start()
  await until(() => r.troubles.length === 1)
  t.match(r.troubles, [{ status: 429, retryInMs: 7_250 }])
  await r.world.advance(7_000)
  t.equal(r.requests.length, 1)
  await r.world.advance(250)
  await until(() => r.reflector.synced)
  t.equal(r.requests.length, 2)
})

t.test('F17 a 500 to the list and to the watch is tried again, less and less often', async (t) => {
  const r = await rig(t)
  r.script(refuse(500, 'InternalError'), refuse(500, 'InternalError'), SYNC)
  r.start()
  await until(() => r.troubles.length === 1)
  await r.world.advance(375)
  await until(() => r.troubles.length === 2)
  await r.world.advance(750)
  await until(() => r.reflector.synced)
  t.match(r.troubles, [
    { status: 500, retryInMs: 375 },
    { status: 500, retryInMs: 750 },
  ])
})

t.test('F17 a watch that falls silent is given up after 55 s; a second one means a relist', async (t) => {
  const r = await rig(t)
  r.script(SYNC, watching(), watching(), SYNC)
  r.start()
  await until(() => r.reflector.synced)
  await r.world.advance(54_000)
  t.equal(r.requests.length, 1)
  await r.world.advance(2_000)
  await until(() => r.requests.length === 2 && r.open.length === 1)
  t.equal(r.requests[1]?.query['resourceVersion'], '20')
  await r.world.advance(57_000)
  await until(() => r.requests.length === 3)
  t.equal(r.requests[2]?.query['sendInitialEvents'], 'true')
  t.strictSame(r.names(), ['a@10', 'b@11'])
})

t.test('F17 bookmarks keep a quiet watch alive', async (t) => {
  const r = await rig(t)
  r.script(SYNC)
  r.start()
  await until(() => r.reflector.synced)
  for (let turn = 1; turn <= 4; turn += 1) {
    await r.world.advance(50_000)
    r.open[0]?.write(bookmark(String(20 + turn)))
    await until(() => r.reflector.lastEventAgeMs === 0)
  }
  t.equal(r.requests.length, 1)
  t.equal(r.reflector.stale, false)
})

t.test('F17 a server that never ends its streamed list is listed instead', async (t) => {
  const r = await rig(t)
  r.script(watching(event('ADDED', profile('a', '10'))), json(200, listOf('40', profile('a', '10'))), watching())
  r.start()
  await until(() => r.open.length === 1)
  await r.world.advance(29_000)
  t.equal(r.reflector.synced, false, 'half a list does not count')
  // The event may have been read only after the clock had moved on.
  while (!r.world.waits.includes(375)) await r.world.advance(1_000)
  await r.world.advance(375)
  await until(() => r.reflector.synced)
  t.strictSame(r.names(), ['a@10'])
})

t.test('lines and characters may be cut anywhere', async (t) => {
  const r = await rig(t)
  const odd = { ...profile('ä', '30'), spec: { displayName: 'Füchse 🦊 im Bau' } }
  r.script(SYNC)
  r.start()
  await until(() => r.reflector.synced)
  const [stream] = r.open
  const bytes = Buffer.from(`${event('ADDED', odd)}\n${event('MODIFIED', profile('a', '31'))}`)
  for (const byte of bytes) {
    stream?.write(Buffer.from([byte]))
    await new Promise((resolve) => setImmediate(resolve))
  }
  await until(() => r.told.includes('~a@31'))
  t.match(r.reflector.objects.get('team/ä'), { spec: { displayName: 'Füchse 🦊 im Bau' } })
})

t.test('F17 a line that is broken off, or no JSON, breaks only the watch', async (t) => {
  const r = await rig(t)
  r.script(
    SYNC,
    ending('{"type":"ADDED","object":{"meta'),
    ending('<html>\n'),
    watching(event('ADDED', profile('c', '25'))),
  )
  r.start()
  await until(() => r.reflector.synced)
  await r.world.advance(10_000)
  r.open[0]?.end()
  await until(() => r.world.waits.includes(375))
  await r.world.advance(375)
  await until(() => r.world.waits.includes(750))
  await r.world.advance(750)
  await until(() => r.told.includes('+c@25'))
  t.strictSame(
    r.requests.map(({ query }) => query['resourceVersion']),
    [undefined, '20', '20', '20'],
  )
})

t.test('F17 after a 401 the token is read again', async (t) => {
  const r = await rig(t)
  r.script(SYNC, (response, request) => {
    if (request.authorization === 'Bearer second') watching(event('ADDED', profile('c', '25')))(response, request)
    else refuse(401, 'Unauthorized')(response, request)
  })
  r.start()
  await until(() => r.reflector.synced)
  await r.world.advance(10_000)
  writeFileSync(r.tokenPath, 'second')
  r.open[0]?.end()
  await until(() => r.told.includes('+c@25'))
  t.strictSame(
    r.requests.map(({ authorization }) => authorization),
    ['Bearer first', 'Bearer first', 'Bearer second'],
  )
  t.strictSame(r.troubles, [])
})

t.test('F17 a CRD that is deleted and comes back: the copy stays meanwhile, then is what the list says', async (t) => {
  const r = await rig(t)
  const back = watching(event('ADDED', profile('a', '99')), bookmark('100', INITIAL_END))
  r.script(
    SYNC,
    refuse(404, 'NotFound'),
    json(429, status(429, 'TooManyRequests', 'storage is (re)initializing')),
    back,
  )
  r.start()
  await until(() => r.reflector.synced)
  await r.world.advance(10_000)
  r.open[0]?.end()
  await until(() => r.troubles.length === 1)
  t.strictSame(r.names(), ['a@10', 'b@11'], 'a missing kind is no order to delete')
  await r.world.advance(375)
  await until(() => r.troubles.length === 2)
  await r.world.advance(750)
  await until(() => r.counts['Relists'] === 1)
  t.strictSame(r.names(), ['a@99'])
})

t.test('F17 a server that came back with older data is believed', async (t) => {
  const r = await rig(t)
  const older = watching(event('ADDED', profile('a', '7')), bookmark('8', INITIAL_END))
  r.script(SYNC, refuse(504, 'Timeout', 'Too large resource version: 20, current: 8'), older)
  r.start()
  await until(() => r.reflector.synced)
  await r.world.advance(10_000)
  r.open[0]?.end()
  await until(() => r.counts['Relists'] === 1)
  t.strictSame(r.told.slice(2), ['-b', '~a@7'])
})

t.test('F17 every ten minutes the copy is compared with a list; a difference is counted and mended', async (t) => {
  const r = await rig(t)
  const truth = [profile('a', '10'), profile('lost', '15'), profile('late', '25')]
  r.script(
    SYNC,
    json(200, listOf('26', ...truth)),
    watching(...truth.map((it) => event('ADDED', it)), bookmark('27', INITIAL_END)),
  )
  r.start()
  await until(() => r.reflector.synced)
  for (let turn = 1; turn <= 13; turn += 1) {
    await r.world.advance(45_000)
    r.open[0]?.write(bookmark('20'))
    await until(() => r.reflector.lastEventAgeMs === 0)
  }
  t.equal(r.requests.length, 1)
  await r.world.advance(15_000)
  await until(() => r.requests.length === 2)
  r.open[0]?.write(event('ADDED', profile('late', '25')))
  await until(() => r.told.includes('+late@25'))
  await until(() => r.world.waits[0] === 2_000)
  await r.world.advance(2_000)
  t.equal(r.counts['CacheMismatches'], 2, 'b is gone, lost was never told; what came meanwhile is no difference')
  await until(() => r.world.waits.includes(375))
  await r.world.advance(375)
  await until(() => r.counts['Relists'] === 1)
  t.strictSame(r.names(), ['a@10', 'lost@15', 'late@25'])
})

t.test('F15 an API server that is away for long makes the copy stale, not empty', async (t) => {
  const r = await rig(t)
  r.script(SYNC, (response) => response.destroy())
  r.start()
  await until(() => r.reflector.synced)
  r.open[0]?.destroy()
  for (let second = 0; second < 200; second += 10) {
    await until(() => r.world.waits.some((waitMs) => waitMs <= 22_500))
    await r.world.advance(10_000)
  }
  t.equal(r.reflector.stale, true)
  t.strictSame(r.names(), ['a@10', 'b@11'])
  r.script(watching())
  await until(() => r.world.waits.some((waitMs) => waitMs <= 22_500))
  await r.world.advance(22_500)
  await until(() => !r.reflector.stale)
})

import t from 'tap'
import { type WholeReply, wholeReply } from '#gateway/provider-http/whole-reply.ts'
import { answer, RawProvider, say } from './raw-provider.ts'
import { GET, openPool } from './recorded-call.ts'

const LIMITS = { timeoutMs: 5_000, maxBytes: 10 }

/** As one line. */
async function told(reply: Promise<WholeReply>): Promise<string> {
  try {
    const { status, body, isCut } = await reply
    return `${status} ${body.toString('latin1')}${isCut ? ' (cut)' : ''}`
  } catch (error) {
    return error instanceof Error ? `${error.constructor.name}: ${error.message}` : String(error)
  }
}

const CASES: Readonly<Record<string, [string, string, number]>> = {
  'as many bytes as may be': [answer('0123456789'), '200 0123456789', 1],
  nothing: ['HTTP/1.1 204 No Content\r\n\r\n', '204 ', 1],
  'a byte more than may be': [answer('0123456789a'), '200 0123456789 (cut)', 0],
  'a body without end': ['HTTP/1.1 500 x\r\n\r\n0123456789abc', '500 0123456789 (cut)', 0],
  'chunks that are more together': [
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\n012345678\r\n3\r\n9ab\r\n0\r\n\r\n',
    '200 0123456789 (cut)',
    0,
  ],
  'no HTTP': ['SSH-2.0-x\r\n', 'MalformedReply: it does not begin with HTTP/1', 0],
}
for (const [title, [reply, expected, kept]] of Object.entries(CASES)) {
  t.test(`a whole reply of ${title}`, async (t) => {
    const provider = await RawProvider.start(t, ({ socket }) => say(socket, reply))
    t.equal(await told(wholeReply(openPool(t, provider.url), GET, LIMITS)), expected)
    t.equal(await provider.hasOpen(kept), kept)
  })
}

t.test('its headers are told', async (t) => {
  const provider = await RawProvider.start(t, ({ socket }) => say(socket, answer('', 'X-A: b\r\nx-a: c\r\nD: e\r\n')))
  const { headers } = await wholeReply(openPool(t, provider.url), GET, LIMITS)
  t.strictSame({ ...headers }, { 'x-a': ['b', 'c'], d: 'e', 'content-length': '0' })
})

for (const part of ['', 'HTTP/1.1 200', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell']) {
  t.test(`a reply that is not whole in its time: ${JSON.stringify(part)}`, async (t) => {
    const provider = await RawProvider.start(t, ({ socket }) => say(socket, part))
    const reply = wholeReply(openPool(t, provider.url), GET, { timeoutMs: 100, maxBytes: 10 })
    t.equal(await told(reply), 'ReplyTimeout: no reply after 100 ms')
    t.equal(await provider.hasOpen(0), 0)
  })
}

t.test('no timer is left of a reply that came', async (t) => {
  const provider = await RawProvider.start(t, ({ socket }) => say(socket, answer('ok')))
  const timers = (): number => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length
  const before = timers()
  await wholeReply(openPool(t, provider.url), GET, LIMITS)
  t.equal(timers(), before)
})

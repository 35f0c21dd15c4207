import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { PRIMARY_AND_FALLBACK, type Stack, scratch, startStack, waitFor } from '../helpers/stack.ts'

async function answeredBy({ url }: Stack): Promise<string> {
  const reply = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    body: '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hi"}]}',
  })
  await reply.arrayBuffer()
  return reply.headers.get('x-korproxy-account') ?? ''
}

t.test('R2.9 a rate limit does not end because the gateway was restarted; a reset ends it', async (t) => {
  const state = scratch(t)
  const first = await startStack(t, PRIMARY_AND_FALLBACK, { stateDirectory: state })
  first.simulator.script({ match: { key: 'sk-a' }, times: 1, script: [{ failure: { status: 429, retryAfterS: 600 } }] })
  t.equal(await answeredBy(first), 'b')
  await first.standalone.close()

  const second = await startStack(t, PRIMARY_AND_FALLBACK, { stateDirectory: state })
  t.equal(await answeredBy(second), 'b')
  t.strictSame(
    second.simulator.requests().map(({ key }) => key),
    ['sk-b'],
    'the limited account still rests',
  )
  const status = await fetch(`${second.url}/_korproxy/status`, { headers: { authorization: 'Bearer kpm-test' } })
  t.match(await status.text(), /rate_limited/)
  await fetch(`${second.url}/_korproxy/health/reset`, {
    method: 'POST',
    headers: { authorization: 'Bearer kpm-test' },
    body: '{"account":"a"}',
  })
  t.equal(await answeredBy(second), 'a')
})

t.test(
  'R2.9 a refused credential is remembered, and tried once more at the start: it may have been replaced',
  async (t) => {
    const state = scratch(t)
    const first = await startStack(t, PRIMARY_AND_FALLBACK, { stateDirectory: state })
    first.simulator.script({ match: { key: 'sk-a' }, script: [{ failure: { status: 401 } }] })
    t.equal(await answeredBy(first), 'b')
    await first.standalone.close()
    const second = await startStack(t, PRIMARY_AND_FALLBACK, { stateDirectory: state })
    t.equal(await answeredBy(second), 'a')
    t.equal(await answeredBy(second), 'a')
  },
)

for (const [name, content] of Object.entries({
  'cut in the middle': '{"default/a":{"format":1,"acc',
  empty: '',
  'no object': '[]',
  null: 'null',
  'of the wrong types': '{"default/a":{"format":1,"account":7,"models":"x"}}',
  'of the next format': '{"default/a":{"format":2,"account":{},"models":{}}}',
  'full of hostile numbers':
    '{"default/a":{"format":1,"account":{"rateLimit":{"untilMs":1e300},"overload":null,"quotaUntilMs":"never"},"models":{}}}',
})) {
  t.test(`F21 saved health that is ${name} does not keep the gateway from starting and serving`, async (t) => {
    const state = scratch(t)
    writeFileSync(join(state, 'health.json'), content)
    const stack = await startStack(t, PRIMARY_AND_FALLBACK, { stateDirectory: state })
    t.match(await answeredBy(stack), /^[ab]$/)
    await stack.standalone.close()
    t.type(JSON.parse(readFileSync(join(state, 'health.json'), 'utf8')), 'object')
  })
}

t.test('F21 a state directory that cannot be written costs what would be kept there, never a request', async (t) => {
  const taken = join(scratch(t), 'file')
  writeFileSync(taken, '')
  const stack = await startStack(t, PRIMARY_AND_FALLBACK, { stateDirectory: taken })
  t.match(await answeredBy(stack), /^[ab]$/)
  const told = await waitFor(
    () => stack.log(),
    (text) => text.includes('access log: lines lost'),
  )
  t.match(told, /"lost":1,"msg":"access log: lines lost"/)
  t.match(told, 'saved health is not readable; starting without it')
})

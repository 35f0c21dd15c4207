import t from 'tap'
import { startRig } from '../helpers/gateway-rig.ts'
import { accounts, startStack } from '../helpers/stack.ts'

/** What the gateway says of a prompt that its provider does not count. */
const UNCOUNTED = [
  { status: 200, headers: { 'content-type': 'text/event-stream' } },
  { write: 'data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n' },
  { write: 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n' },
  { write: 'data: [DONE]\n\n' },
  { end: true as const },
]

const image = (bytes: number): object => ({
  type: 'image',
  source: { type: 'base64', media_type: 'image/png', data: Buffer.alloc(bytes, 'pixels').toString('base64') },
})
const words = (characters: number): object => ({ type: 'text', text: 'four '.repeat(characters / 5) })
const chinese = (characters: number): object => ({ type: 'text', text: '你好世界'.repeat(characters / 4) })

const PROMPTS: Readonly<Record<string, { parts: readonly object[]; from: number; to: number }>> = {
  'text: four bytes a token': { parts: [words(40_000)], from: 10_000, to: 10_100 },
  'text without spaces: three bytes a character': { parts: [chinese(4_000)], from: 3_000, to: 3_100 },
  'an image: its size does not count': { parts: [image(300_000)], from: 1_000, to: 1_500 },
  'images one after the other': { parts: [image(30_000), image(30_000), image(30_000)], from: 3_000, to: 4_000 },
  'an image between words': { parts: [words(4_000), image(300_000), words(4_000)], from: 3_000, to: 3_600 },
  'a small icon is as long as its base64': { parts: [image(300)], from: 100, to: 200 },
}

t.test('R3.4 an Anthropic client is told an estimate of its prompt before the provider has counted', async (t) => {
  const stack = await startStack(t, accounts(['a']))
  for (const [name, { parts, from, to }] of Object.entries(PROMPTS)) {
    stack.simulator.script({ script: UNCOUNTED, times: 1 })
    const reply = await fetch(`${stack.url}/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'gpt-4o',
        max_tokens: 10,
        stream: true,
        messages: [{ role: 'user', content: parts }],
      }),
    })
    const counts = [...(await reply.text()).matchAll(/"input_tokens":(\d+)/g)].map(([, count]) => Number(count))
    t.equal(counts.length, 2, `${name}: message_start and message_delta`)
    for (const count of counts) t.ok(count >= from && count <= to, `${name}: ${count}`)
  }
})

t.test('R7.9 the estimate of a passed request is billed, and is marked', async (t) => {
  const rig = await startRig(t, accounts(['a']))
  rig.simulator.script({ script: UNCOUNTED })
  const url = `data:image/png;base64,${Buffer.alloc(300_000, 'pixels').toString('base64')}`
  const reply = await fetch(`${rig.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'gpt-4o',
      stream: true,
      messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }],
    }),
  })
  await reply.text()
  const { input = 0, estimated } = rig.events.at(-1)?.usage ?? {}
  t.ok(input >= 1_000 && input <= 1_500, `${input}`)
  t.equal(estimated, true)
})

t.test('R3.2 where the provider does not count, a file is not counted by its length', async (t) => {
  const stack = await startStack(t, accounts(['a']))
  const data = Buffer.alloc(300_000, 'words ').toString('base64')
  const count = async (media_type: string): Promise<unknown> => {
    const content = [{ type: 'document', source: { type: 'base64', media_type, data } }]
    const reply = await fetch(`${stack.url}/v1/messages/count_tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content }] }),
    })
    return reply.json()
  }
  t.same(await count('application/pdf'), { input_tokens: 1_004 })
  t.same(await count('text/plain'), { input_tokens: 75_004 }, 'but its text is')
})

for (const path of ['/v1/chat/completions', '/v1/messages']) {
  for (const stream of [true, false]) {
    t.test(`R7.9 an answer that its provider did not count is no free one: ${path}, stream ${stream}`, async (t) => {
      const stack = await startStack(t, accounts(['a']))
      const content = 'four '.repeat(8_000)
      const chunk = (delta: object, finish_reason: string | null): string =>
        `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason }] })}\n\n`
      const message = { role: 'assistant', content }
      const whole = JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'stop' }] })
      stack.simulator.script({
        script: [
          { status: 200, headers: { 'content-type': stream ? 'text/event-stream' : 'application/json' } },
          { write: stream ? `${chunk({ content }, null)}${chunk({}, 'stop')}data: [DONE]\n\n` : whole },
          { end: true },
        ],
      })
      const reply = await fetch(`${stack.url}${path}`, {
        method: 'POST',
        body: JSON.stringify({ model: 'gpt-4o', max_tokens: 9, stream, messages: [{ role: 'user', content: 'Hi' }] }),
      })
      t.match(await reply.text(), 'four four')
      const [line] = await stack.settled(1)
      const output = Number(line?.['outputTokens'])
      t.ok(output >= 10_000 && output < 10_100, `${output}`)
      t.match(await stack.metrics(), /korproxy_tokens_total\{.*kind="output",estimated="true"\} 10\d\d\d/)
    })
  }
}

import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { type Simulator, startSimulator } from '#simulator/simulator.ts'
import { chatRequest, dechunk, exchangeRaw } from './raw-client.ts'

/** The last chunk of a message. */
const END = /\r\n0\r\n\r\n$/

async function start(t: Test): Promise<Simulator> {
  const simulator = await startSimulator({ clock: () => 1_800_000_000_000 })
  t.teardown(() => simulator.close())
  return simulator
}

async function ask(
  simulator: Simulator,
  model: string,
  options: { key?: string; headers?: Record<string, string>; stream?: boolean } = {},
) {
  const response = await fetch(`${simulator.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${options.key ?? 'sk-good'}`, ...options.headers },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }], stream: options.stream ?? false }),
  })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

t.test('R3.8 a counted token fails the first requests only', async (t) => {
  const simulator = await start(t)
  const statuses = []
  for (let turn = 0; turn < 4; turn += 1) statuses.push((await ask(simulator, 'gpt-4o--429x2')).status)
  t.strictSame(statuses, [429, 429, 200, 200])
  t.equal((await ask(simulator, 'gpt-4o', { key: 'sk-a--503' })).status, 503)
  t.equal((await ask(simulator, 'gpt-4o', { key: 'sk-b' })).status, 200)
  const { keys, total } = simulator.stats()
  t.equal(total, 6)
  t.strictSame(keys, {
    'sk-good': { requests: 4, statuses: { '429': 2, '200': 2 } },
    'sk-a--503': { requests: 1, statuses: { '503': 1 } },
    'sk-b': { requests: 1, statuses: { '200': 1 } },
  })
})

t.test('R3.8 rules match path, model and key, a number of times, in their order', async (t) => {
  const simulator = await start(t)
  simulator.script({ match: { key: 'sk-one' }, times: 1, script: '500' })
  simulator.script({
    match: { model: 'gpt-4o', path: '/chat/' },
    script: { failure: { kind: 'rate_limited', retryAfterS: 3 } },
  })
  t.equal((await ask(simulator, 'gpt-4o', { key: 'sk-one' })).status, 500)
  const limited = await ask(simulator, 'gpt-4o--x', { key: 'sk-one' })
  t.strictSame([limited.status, limited.headers.get('retry-after')], [429, '3'])
  t.equal((await ask(simulator, 'gpt-5', { key: 'sk-one' })).status, 200)
  simulator.reset()
  t.equal((await ask(simulator, 'gpt-4o')).status, 200)
  t.throws(() => simulator.script({ script: 'nonsense' }), /Unknown scenario: nonsense/)
})

t.test(
  'R3.8 the control endpoint sets scripts, shows requests with masked keys, counts, and starts anew',
  async (t) => {
    const simulator = await start(t)
    const control = async (method: string, path: string, body?: unknown) => {
      const response = await fetch(`${simulator.url}/__mock/${path}`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      return { status: response.status, body: await response.json() }
    }
    const script = [
      { status: 418, headers: { 'x-a': 'b' } },
      { write: 'I am ' },
      { sleep: 1 },
      { write: { base64: 'YSB0ZWFwb3Q=' } },
      { end: true },
    ]
    t.strictSame(await control('POST', 'script', { match: { model: 'gpt-4o' }, times: 1, script }), {
      status: 200,
      body: { ok: true },
    })
    const key = 'sk-0123456789abcdefghij'
    const first = await ask(simulator, 'gpt-4o', { key })
    t.strictSame([first.status, first.headers.get('x-a'), first.text], [418, 'b', 'I am a teapot'])
    t.match(await control('GET', 'requests'), {
      body: [
        {
          method: 'POST',
          path: '/v1/chat/completions',
          status: 418,
          key: 'sk-012…ghij',
          headers: { authorization: 'Bearer sk-012…ghij' },
        },
      ],
    })
    t.match(await control('GET', 'stats'), {
      body: { total: 1, inFlight: 0, keys: { 'sk-012…ghij': { requests: 1 } } },
    })
    t.match(await control('POST', 'script', { script: [{ write: 5 }] }), {
      status: 400,
      body: { mock_error: /invalid/i },
    })
    await control('POST', 'reset')
    t.match(await control('GET', 'stats'), { body: { total: 0, keys: {} } })
    t.equal((await control('GET', 'nothing')).status, 404)
  },
)

t.test('R3.8 a header scripts one request', async (t) => {
  const simulator = await start(t)
  t.equal((await ask(simulator, 'gpt-4o', { headers: { 'x-mock-script': '503' } })).status, 503)
  const said = await ask(simulator, 'gpt-4o', { headers: { 'x-mock-script': '{"reply":{"text":"said so"}}' } })
  t.match(JSON.parse(said.text), { choices: [{ message: { content: 'said so' } }] })
})

t.test('R3.8 pace comes from query, options and tokens', async (t) => {
  const simulator = await start(t)
  const { text } = await ask(simulator, 'gpt-4o--chunks4', { stream: true })
  t.equal(text.match(/"content":"[^"]/g)?.length, 4)
  const response = await fetch(`${simulator.url}/v1/chat/completions?chunks=3&gapMs=1`, {
    method: 'POST',
    headers: { authorization: 'Bearer k' },
    body: '{"model":"m","messages":[{"role":"user","content":"x"}]}',
  })
  t.match(await response.json(), { choices: [{ message: { content: 'Hello from openai m. w1 w2' } }] })
})

t.test('R3.8 what happens before the headers', async (t) => {
  const simulator = await start(t)
  t.match(await exchangeRaw(simulator.port, chatRequest('m--reset')), { end: 'RST', text: '' })
  t.match(await exchangeRaw(simulator.port, chatRequest('m--fin')), { end: 'FIN', text: '' })
  t.match(await exchangeRaw(simulator.port, chatRequest('m--hang'), /^/), { end: 'open', text: '' })
  t.match(await exchangeRaw(simulator.port, chatRequest('m--late30'), END), {
    end: 'open',
    text: /^HTTP\/1\.1 200 .*\[DONE\]/s,
  })
})

t.test('R3.8 what happens after the headers', async (t) => {
  const simulator = await start(t)
  const silent = await exchangeRaw(simulator.port, chatRequest('m--silent'), /\r\n\r\n/)
  t.match(silent, { end: 'open', text: /^HTTP\/1\.1 200 OK\r\n.*\r\n\r\n$/s })
  const opened = await exchangeRaw(simulator.port, chatRequest('m--silentstart'), /"role":"assistant"/)
  t.match(opened, { end: 'open', text: /"role":"assistant"/ })
  t.notMatch(opened.text, /Hello/)
  const stall = await exchangeRaw(simulator.port, chatRequest('m--stall'), /"from "/)
  t.match(stall, { end: 'open', text: /"content":"from "/ })
  t.notMatch(stall.text, /"finish_reason":"/)
  const cut = await exchangeRaw(simulator.port, chatRequest('m--cut'))
  t.match(cut, { end: 'FIN', text: /"content":"from "/ })
  t.notMatch(cut.text, /\r\n0\r\n\r\n$/)
  t.match(await exchangeRaw(simulator.port, chatRequest('m--cutreset')), { end: 'RST', text: /"content":"from "/ })
  const half = await exchangeRaw(simulator.port, chatRequest('m--halfclose'))
  t.match(half, { end: 'FIN', text: /"content":"from "/ })
  t.match(await exchangeRaw(simulator.port, chatRequest('m--slow30'), END), { text: /\[DONE\]/ })
  const broken = dechunk((await exchangeRaw(simulator.port, chatRequest('m--broken'), END)).text)
  const parses = broken.split('\n\n').map((frame) => isJson(frame.replace(/^data: /, '')))
  t.strictSame(parses, [true, true, true, false, true, true, false, false])
})

t.test('R3.8 ends that look like success and are none', async (t) => {
  const simulator = await start(t)
  const clean = await exchangeRaw(simulator.port, chatRequest('m--cleancut'), END)
  t.match(clean.text, /"content":"m\."[^\n]*\n\n\r\n0\r\n\r\n$/)
  const noterm = await exchangeRaw(simulator.port, chatRequest('m--noterm'), END)
  t.match(noterm.text, /"finish_reason":"stop"[^\n]*\n\n\r\n0\r\n\r\n$/)
  const event = await ask(simulator, 'm--error200', { stream: true })
  t.strictSame([event.status, event.text.startsWith('data: {"error":{')], [200, true])
  t.match((await ask(simulator, 'm--starterror', { stream: true })).text, /"role":"assistant".*\n\ndata: \{"error":/s)
  const body = await ask(simulator, 'm--error200')
  t.equal(body.status, 200)
  t.match(JSON.parse(body.text), { error: { type: 'server_error' } })
  t.match(JSON.parse((await ask(simulator, 'm--nocontent')).text), {
    choices: [{ message: { content: '' }, finish_reason: 'stop' }],
  })
  t.match(JSON.parse((await ask(simulator, 'm--filter')).text), { choices: [{ finish_reason: 'content_filter' }] })
})

t.test('R3.8 a reply that is not streamed is cut, stalled and broken too', async (t) => {
  const simulator = await start(t)
  const request = (model: string, until?: RegExp) =>
    exchangeRaw(simulator.port, chatRequest(model, { stream: false }), until)
  const cut = await request('m--cut')
  t.equal(cut.end, 'FIN')
  const declared = Number(/content-length: (\d+)/.exec(cut.text)?.[1])
  t.equal(cut.text.split('\r\n\r\n')[1]?.length, Math.floor(declared / 2))
  t.equal((await request('m--stall', /\r\n\r\n\{/)).end, 'open')
  const broken = await ask(simulator, 'm--broken')
  t.strictSame([broken.status, isJson(broken.text)], [200, false])
  const truncated = await request('m--truncate')
  t.equal(truncated.text.split('\r\n\r\n')[1], '{"id":"cha')
})

t.test('R3.8 frames and heads that no parser should take', async (t) => {
  const simulator = await start(t)
  const patterns: Record<string, RegExp> = {
    'status-line': /^HTTP\/1\.1 abc /,
    'chunk-size': /\r\n\r\nzz\r\n/,
    'content-length-negative': /content-length: -1\r\n/,
    'double-content-length': /content-length: (\d+)\r\ncontent-length: (?!\1)/,
    'header-large': /x-large: x{17408}\r\n/,
    'header-huge': /x-huge: x{1048576}\r\n/,
    'header-many': /x-many-2999: 1\r\n/,
    'gzip-cut': /content-encoding: gzip\r\n/,
    'encodings-stacked': /content-encoding: gzip, gzip, gzip, gzip, gzip, gzip\r\n/,
    informational: /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 102 .*HTTP\/1\.1 103 .*HTTP\/1\.1 200 OK/s,
    'switching-protocols': /^HTTP\/1\.1 101 /,
    'no-content-with-body': /^HTTP\/1\.1 204 .*\r\n\r\n\{/s,
    'not-modified-with-body': /^HTTP\/1\.1 304 .*\r\n\r\n\{/s,
  }
  for (const [name, pattern] of Object.entries(patterns)) {
    const answer = await exchangeRaw(simulator.port, chatRequest(`m--${name}`, { stream: false }))
    t.match(answer.text, pattern, name)
    t.equal(answer.end, 'FIN', name)
  }
  for (const [name, difference] of [
    ['content-length-short', 10],
    ['content-length-long', -10],
  ] as const) {
    const { text } = await exchangeRaw(simulator.port, chatRequest(`m--${name}`, { stream: false }))
    const [head = '', body = ''] = text.split('\r\n\r\n')
    t.equal(body.length - Number(/content-length: (\d+)/.exec(head)?.[1]), difference, name)
  }
})

t.test('R3.8 a reply in single bytes is the same reply', async (t) => {
  const simulator = await start(t)
  const whole = await exchangeRaw(simulator.port, chatRequest('m'), END)
  simulator.reset()
  const split = await exchangeRaw(simulator.port, chatRequest('m', { headers: 'x-mock-script: onebyte\r\n' }))
  t.equal(dechunk(split.text), dechunk(whole.text))
  t.ok(split.reads > 5, `${split.reads} reads`)
})

t.test('R3.8 rare but legal ways to write events', async (t) => {
  const simulator = await start(t)
  const textOf = async (variant: string) => (await ask(simulator, `m--sse-${variant}`, { stream: true })).text
  t.match(await textOf('crlf'), /^data: \{[^\n]*\}\r\n\r\ndata: /)
  t.match(await textOf('cr'), /^data: \{[^\n]*\}\r\rdata: /)
  t.match(await textOf('comments'), /^: a comment\n\ndata: /)
  t.match(await textOf('multi-line'), /^data: \{"id":"[^"]*",\ndata: "object"/)
  t.match(await textOf('no-last-blank'), /data: \[DONE\]$/)
  t.match(await textOf('after-end'), /data: \[DONE\]\n\ndata: \{"after":"the end"\}\n\n$/)
  t.match(await textOf('unknown-event'), /event: mock_future\n/)
  t.match(await textOf('no-space'), /^data:\{/)
  t.equal((await textOf('long-line')).length > 8 * 1024 * 1024, true)
  const response = await fetch(`${simulator.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer k', 'x-mock-script': 'sse-bom' },
    body: '{"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]}',
  })
  t.strictSame([...new Uint8Array(await response.arrayBuffer()).subarray(0, 3)], [0xef, 0xbb, 0xbf])
})

t.test('R3.8 an answer may come while the request is still on its way', async (t) => {
  const simulator = await start(t)
  simulator.script({ match: { path: '/chat/' }, times: 1, script: 'early413' })
  const head =
    'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer k\r\ncontent-length: 20000000\r\n\r\n{"model"'
  t.match(await exchangeRaw(simulator.port, head), { text: /^HTTP\/1\.1 413 .*request_too_large/s })
  t.match(simulator.requests(), [{ status: 413, closedByClient: false, key: 'k' }])
})

t.test('R3.8 a kept-alive connection serves several requests, and `stale` closes it unannounced', async (t) => {
  const simulator = await start(t)
  const two = await exchangeRaw(simulator.port, chatRequest('m') + chatRequest('m'), /DONE.*DONE.*\r\n0\r\n\r\n$/s)
  t.equal(two.text.match(/HTTP\/1\.1 200 OK/g)?.length, 2)
  const stale = await exchangeRaw(simulator.port, chatRequest('m--stale'))
  t.equal(stale.end, 'FIN')
  t.match(stale.text, /connection: keep-alive/i)
  t.match(stale.text, /\[DONE\]/)
  t.notOk(simulator.requests().some((request) => request.closedByClient))
})

t.test('R3.8 a client that goes away is recorded, with the time', async (t) => {
  const simulator = await start(t)
  const socket = connect(simulator.port, '127.0.0.1')
  socket.write(chatRequest('m--stall'))
  await new Promise((resolve) => socket.once('data', resolve))
  t.match(simulator.requests(), [{ closedByClient: false, closedAtMs: undefined }])
  t.equal(simulator.stats().inFlight, 1)
  socket.destroy()
  while (simulator.stats().inFlight > 0) await wait(5)
  t.match(simulator.requests(), [{ closedByClient: true, closedAtMs: 1_800_000_000_000 }])
})

t.test('R3.8 closing ends every socket', async (t) => {
  const simulator = await startSimulator()
  const hanging = exchangeRaw(simulator.port, chatRequest('m--hang'))
  while (simulator.stats().inFlight === 0) await wait(5)
  t.equal(simulator.connections(), 1)
  await simulator.close()
  t.match(await hanging, { end: /FIN|RST/ })
  t.equal(simulator.connections(), 0)
  t.notOk(simulator.requests()[0]?.closedByClient)
})

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

import { once } from 'node:events'
import { connect } from 'node:net'
import { brotliCompressSync, createGzip, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import t from 'tap'
import { type Stack, startStackAt } from '../helpers/stack.ts'

const ANSWER = JSON.stringify({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-4o-mini',
  choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 },
})
const CHAT = '/v1/chat/completions'

function ask(stack: Stack, path = CHAT, more: Record<string, unknown> = {}): Promise<Response> {
  const body = { model: 'gpt-4o-mini', max_tokens: 100, messages: [{ role: 'user', content: 'Hi' }], ...more }
  return fetch(`${stack.url}${path}`, { method: 'POST', body: JSON.stringify(body) })
}

for (const [encoding, encode] of Object.entries({
  gzip: gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
  zstd: zstdCompressSync,
  GZIP: gzipSync,
})) {
  t.test(`an answer in ${encoding} that nobody asked for is read, whether it passes or is translated`, async (t) => {
    const stack = await startStackAt(t, (request, reply) => {
      t.equal(request.headers['accept-encoding'], 'identity')
      reply.writeHead(200, { 'content-type': 'application/json', 'content-encoding': encoding }).end(encode(ANSWER))
    })
    const passed = await ask(stack)
    t.equal(passed.headers.get('content-encoding'), null)
    t.equal(await passed.text(), ANSWER)
    const translated = await ask(stack, '/v1/messages')
    t.match(await translated.json(), { content: [{ type: 'text', text: 'hello' }], stop_reason: 'end_turn' })
    for (const line of await stack.settled(2)) t.match(line, { status: 200, inputTokens: 9, outputTokens: 4 })
    t.equal(stack.standalone.gateway.inFlight, 0)
  })
}

t.test('R3.4 a stream in gzip passes event by event', async (t) => {
  let finish = (): void => {}
  const stack = await startStackAt(t, (_request, reply) => {
    reply.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' })
    const encoder = createGzip()
    encoder.pipe(reply)
    encoder.write('data: {"id":"c","choices":[{"index":0,"delta":{"content":"hello"},"finish_reason":null}]}\n\n')
    encoder.flush()
    finish = () =>
      encoder.end('data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')
  })
  const reply = await ask(stack, CHAT, { stream: true })
  const reader = reply.body?.getReader()
  t.match(Buffer.from((await reader?.read())?.value ?? []).toString(), /"hello"/)
  finish()
  let rest = ''
  for (let read = await reader?.read(); read?.done === false; read = await reader?.read()) {
    rest += Buffer.from(read.value).toString()
  }
  t.match(rest, /"finish_reason":"stop"[\s\S]*\[DONE\]/)
})

t.test('a refusal in gzip is understood', async (t) => {
  const stack = await startStackAt(t, (_request, reply) => {
    const error = { message: 'temperature is not supported', type: 'invalid_request_error' }
    reply.writeHead(400, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
    reply.end(gzipSync(JSON.stringify({ error })))
  })
  const reply = await ask(stack)
  t.equal(reply.status, 400)
  t.match(await reply.json(), { error: { message: 'temperature is not supported' } })
})

for (const [name, encoding, body] of [
  ['cut', 'gzip', gzipSync(ANSWER).subarray(0, -12)],
  ['rubbish', 'br', Buffer.from('rubbish')],
  ['stacked', 'gzip, gzip', gzipSync(gzipSync(ANSWER))],
  ['unknown', 'compress', Buffer.from(ANSWER)],
  ['a bomb', 'gzip', gzipSync(Buffer.alloc(40 * 1024 * 1024, ' '))],
] as const) {
  t.test(`F8 a reply whose encoding is ${name} is broken, and the connection serves on`, async (t) => {
    let calls = 0
    const stack = await startStackAt(t, (_request, reply) => {
      calls += 1
      if (calls <= 2)
        reply.writeHead(200, { 'content-type': 'application/json', 'content-encoding': encoding }).end(body)
      else reply.writeHead(200, { 'content-type': 'application/json' }).end(ANSWER)
    })
    const reply = await ask(stack)
    t.match([reply.status, reply.headers.get('x-korproxy-error')], [502, 'KP-PROV-109'])
    await reply.text()
    t.equal(await (await ask(stack)).text(), ANSWER)
    t.equal(stack.standalone.gateway.inFlight, 0)
  })
}

t.test('a reader that stops gets every byte of an encoded file once it reads on', async (t) => {
  const file = Buffer.alloc(24 * 1024 * 1024)
  for (let at = 0; at < file.length; at += 4) file.writeUInt32LE((at * 2_654_435_761) >>> 7, at)
  const stack = await startStackAt(t, (_request, reply) => {
    reply.writeHead(200, { 'content-type': 'application/octet-stream', 'content-encoding': 'gzip' }).end(gzipSync(file))
  })
  const { hostname, port } = new URL(stack.url)
  const socket = connect(Number(port), hostname)
  socket.write('GET /v1/files/f/content HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n')
  await once(socket, 'readable')
  // Long enough for every buffer on the way to fill.
  await new Promise((resolve) => setTimeout(resolve, 500))
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk)
  const reply = Buffer.concat(chunks)
  const body = reply.subarray(reply.indexOf('\r\n\r\n') + 4)
  t.match(reply.subarray(0, 15).toString(), 'HTTP/1.1 200 OK')
  t.ok(unchunked(body).equals(file))
})

t.test('a reader that leaves in the middle of an encoded file leaves nothing behind', async (t) => {
  const file = gzipSync(Buffer.alloc(15 * 1024 * 1024))
  const stack = await startStackAt(t, (_request, reply) => {
    reply.writeHead(200, { 'content-type': 'audio/mpeg', 'content-encoding': 'gzip' }).end(file)
  })
  const { hostname, port } = new URL(stack.url)
  const socket = connect(Number(port), hostname)
  socket.write('GET /v1/files/f/content HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
  await once(socket, 'readable')
  await new Promise((resolve) => setTimeout(resolve, 500))
  t.equal(stack.standalone.gateway.inFlight, 1)
  socket.destroy()
  t.match((await stack.settled(1))[0], { status: 200 })
  t.equal(stack.standalone.gateway.inFlight, 0)
})

function unchunked(body: Buffer): Buffer {
  const chunks: Buffer[] = []
  for (let at = 0; at < body.length; ) {
    const end = body.indexOf('\r\n', at)
    const size = Number.parseInt(body.subarray(at, end).toString(), 16)
    chunks.push(body.subarray(end + 2, end + 2 + size))
    at = end + 4 + size
  }
  return Buffer.concat(chunks)
}

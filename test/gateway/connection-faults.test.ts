import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { CHAT_ANSWER } from '../helpers/chat-answer.ts'
import { accounts, type Stack, startStack } from '../helpers/stack.ts'

/** One account at this address, asked twice at most. */
function only(baseUrl: string, more = ''): string {
  return `${accounts(['a']).replace('{simulator}/v1', baseUrl).replace('  auth:', `${more}  auth:`)}
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: main}
spec:
  accountRefs: [{name: a}]
  retry: {sameAccountBackoff: {base: 10ms, max: 50ms}}
  timeouts: {connect: 2s, firstByte: 10s, firstByteWhole: 10s, idle: 10s, request: 20s}
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: default}
spec: {defaultProviderGroup: {name: main}}
`
}

/** @returns `host:port` */
async function listen(t: Test, onConnection: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    onConnection(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  // A server that listens on a port has an address of this kind.
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function ask(
  stack: Stack,
  stream = false,
  content = 'Hi',
): Promise<{ status: number; code: string; message: string }> {
  const reply = await fetch(`${stack.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'gpt-4o-mini', stream, messages: [{ role: 'user', content }] }),
  })
  const body: unknown = await reply.json()
  const message = JSON.stringify(body)
  return { status: reply.status, code: reply.headers.get('x-korproxy-error') ?? '', message }
}

for (const scheme of ['http', 'https']) {
  t.test(`R8.2 a proxy that wants a credential is named, with its status (${scheme})`, async (t) => {
    const proxy = await listen(t, (socket) => {
      socket.on('data', () =>
        socket.write('HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'),
      )
    })
    const stack = await startStack(t, only(`${scheme}://api.example.com/v1`, `  proxyURL: "http://${proxy}"\n`))
    const { status, code, message } = await ask(stack)
    t.equal(status, 502)
    t.equal(code, 'KP-NET-300')
    t.match(message, 'could not be reached: its proxy answered 407.')
  })
}

t.test('R8.2 F14 https at a port that speaks none is no matter of certificates', async (t) => {
  const address = await listen(t, (socket) => {
    socket.on('data', () => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'))
  })
  const { code, message } = await ask(await startStack(t, only(`https://${address}/v1`)))
  t.equal(code, 'KP-NET-300')
  t.match(message, 'no TLS behind its address (ERR_SSL_WRONG_VERSION_NUMBER)')
})

t.test('R2.6 F2 a connection that is reset while TLS is agreed upon was none yet', async (t) => {
  const address = await listen(t, (socket) => {
    socket.on('data', () => socket.resetAndDestroy())
  })
  const { status, code, message } = await ask(await startStack(t, only(`https://${address}/v1`)))
  t.equal(status, 502)
  t.equal(code, 'KP-NET-300')
  t.match(message, 'could not be reached: ECONNRESET.')
})

t.test('F2 a kept connection that ends long after it took a request was not stale: the failure counts', async (t) => {
  let taken = 0
  const address = await listen(t, (socket) => {
    let answered = 0
    socket.on('data', (chunk: Buffer) => {
      if (!chunk.toString('latin1').includes('"messages"')) return
      answered += 1
      if (answered === 1) {
        socket.write(
          `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${CHAT_ANSWER.length}\r\n\r\n${CHAT_ANSWER}`,
        )
        return
      }
      taken += 1
      setTimeout(() => socket.resetAndDestroy(), 1_300)
    })
  })
  const stack = await startStack(t, only(`http://${address}/v1`))
  t.equal((await ask(stack)).status, 200)
  t.equal((await ask(stack)).status, 200, 'by a second attempt')
  t.equal(taken, 1)
  const [, second] = await stack.settled(2)
  t.match(second, { status: 200, attempts: 2 })
  t.match(stack.log(), /"account":"a","outcome":"network","code":"KP-NET-305"/)
})

for (const stream of [false, true]) {
  t.test(`F8 an error whose body never ends is read no further than it needs (stream: ${stream})`, async (t) => {
    const address = await listen(t, (socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 500 Internal Server Error\r\ncontent-type: text/plain\r\n\r\n')
        const timer = setInterval(() => socket.write('x'.repeat(10_000)), 20)
        socket.once('close', () => clearInterval(timer))
      })
    })
    const stack = await startStack(t, only(`http://${address}/v1`))
    const { status, code } = await ask(stack, stream)
    t.equal(status, 502)
    t.equal(code, 'KP-PROV-100')
    t.match((await stack.settled(1))[0], { attempts: 2 }, 'a second attempt had its time')
    t.equal(stack.standalone.gateway.inFlight, 0)
  })
}

t.test('F11 a connection whose provider answered before it had read all carries no other request', async (t) => {
  let connections = 0
  const address = await listen(t, (socket) => {
    connections += 1
    const body = '{"error":{"message":"too large"}}'
    socket.once('data', () => {
      socket.write(
        `HTTP/1.1 413 Content Too Large\r\ncontent-type: application/json\r\ncontent-length: 33\r\n\r\n${body}`,
      )
      socket.pause()
    })
  })
  const stack = await startStack(t, only(`http://${address}/v1`))
  t.equal((await ask(stack, false, 'x'.repeat(8_000_000))).status, 413)
  const startedAt = performance.now()
  t.equal((await ask(stack)).status, 413)
  t.ok(performance.now() - startedAt < 5_000, 'it did not wait behind the rest of the first')
  t.equal(connections, 2)
})

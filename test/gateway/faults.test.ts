import { readdirSync, readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { CHAT_ANSWER } from '../helpers/chat-answer.ts'
import { accounts, type Stack, startStack, waitFor } from '../helpers/stack.ts'

/** `a` first, then `b`; short time-outs. */
function group(fields = ''): string {
  return `
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: main}
spec:
  selectionStrategy: Priority
  accountRefs: [{name: a, priority: 0}, {name: b, priority: 1}]
  retry: {sameAccountBackoff: {base: 10ms, max: 50ms}}
  timeouts: {connect: 500ms, firstByte: 1s, firstByteWhole: 1s, idle: 1s, request: 20s}
  ${fields}
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: default}
spec: {defaultProviderGroup: {name: main}}
`
}

const TWO = `${accounts(['a', 'b'])}${group()}`

/** Account `a` at another address than the simulator. */
function elsewhere(baseUrl: string, tls = ''): string {
  return `
apiVersion: v1
kind: Secret
metadata: {name: a}
stringData: {apiKey: sk-a}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: a}
spec:
  provider: OpenAI
  baseURL: "${baseUrl}"
  auth: {secretKeyRef: {name: a}}
  ${tls}
---
${accounts(['b'])}${group()}`
}

/** The same with nobody to move to. */
function onlyA(manifests: string): string {
  return manifests.replace('accountRefs: [{name: a, priority: 0}, {name: b, priority: 1}]', 'accountRefs: [{name: a}]')
}

function certificate(name: string): string {
  return readFileSync(new URL(`certificates/${name}`, import.meta.url), 'utf8')
}

/** Signed `good`, `expired` and `wrong-name`. */
const AUTHORITY = `
apiVersion: v1
kind: Secret
metadata: {name: authority}
stringData:
  ca.crt: |
${certificate('authority.crt').replaceAll(/^/gm, '    ').trimEnd()}
---`

interface Asked {
  readonly status: number
  readonly text: string
  readonly headers: Headers
}

async function ask(stack: Stack, body: Record<string, unknown> = {}): Promise<Asked> {
  const reply = await fetch(`${stack.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hi' }], ...body }),
  })
  return { status: reply.status, text: await reply.text(), headers: reply.headers }
}

function asked(stack: Stack): string[] {
  return stack.simulator
    .requests()
    .map(({ headers }) => String(headers['authorization'] ?? '').replace('Bearer sk-', ''))
}

/** Open file descriptors of this process, which runs gateway and simulator. */
function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length
}

async function listen(t: Test, onConnection: (socket: Socket) => void): Promise<{ url: string; server: Server }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    onConnection(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  // A server that listens on a port has an address of this kind.
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, server }
}

/** After a fault the process serves on: account `b` answers, and `a` again after a reset of the script. */
async function servesOn(t: Test, stack: Stack): Promise<void> {
  stack.simulator.reset()
  t.equal((await ask(stack)).status, 200, 'serves on')
  t.equal(stack.standalone.gateway.inFlight, 0)
}

t.test('F1 a refused port: the next account answers', async (t) => {
  const { url, server } = await listen(t, () => {})
  await new Promise<void>((resolve) => void server.close(() => resolve()))
  const stack = await startStack(t, elsewhere(`${url}/v1`))
  const reply = await ask(stack)
  t.equal(reply.status, 200)
  t.equal(reply.headers.get('x-korproxy-attempts'), '2')
  t.strictSame(asked(stack), ['b'])
  await servesOn(t, stack)
})

t.test('F1 a host that swallows packets: the next account answers after the connect time-out', async (t) => {
  // 240.0.0.1 would be refused by the dial guard; an unread TLS listener stalls in the handshake instead.
  const { url } = await listen(t, (socket) => socket.pause())
  const stack = await startStack(t, elsewhere(`${url.replace('http:', 'https:')}/v1`))
  const reply = await ask(stack)
  t.equal(reply.status, 200)
  t.strictSame(asked(stack), ['b'])
  t.match(stack.log(), /"account":"a","outcome":"timed-out"/)
  await servesOn(t, stack)
})

t.test('F1 with nobody else the client hears of the connection by code', async (t) => {
  const { url, server } = await listen(t, () => {})
  await new Promise<void>((resolve) => void server.close(() => resolve()))
  const stack = await startStack(t, onlyA(elsewhere(`${url}/v1`)))
  const reply = await ask(stack)
  t.equal(reply.status, 502)
  t.equal(reply.headers.get('x-korproxy-error'), 'KP-NET-300')
})

t.test('F2 a FIN before headers moves on', async (t) => {
  const stack = await startStack(t, TWO)
  stack.simulator.script({ match: { key: 'sk-a' }, script: 'fin' })
  t.equal((await ask(stack)).status, 200)
  t.strictSame(asked(stack), ['a', 'b'])
  await servesOn(t, stack)
})

t.test('F2 a kept-alive connection that the provider closed never reaches the client: 200 of 200', async (t) => {
  const stack = await startStack(t, onlyA(`${accounts(['a'])}${group()}`))
  stack.simulator.script({ match: { key: 'sk-a' }, script: [{ reply: {} }, { closeIdle: 0 }] })
  const statuses: Record<number, number> = {}
  for (let round = 0; round < 200; round += 1) {
    const { status } = await ask(stack)
    statuses[status] = (statuses[status] ?? 0) + 1
  }
  t.strictSame(statuses, { 200: 200 })
  t.notMatch(stack.log(), /attempt failed/, 'no attempt counts as a failure of the provider')
})

t.test('F2 a provider that answers once a connection and then resets it never reaches the client', async (t) => {
  // Says keep-alive, answers one request, and resets the connection as soon as a second one arrives.
  const { url } = await listen(t, (socket) => {
    let answered = 0
    socket.on('data', (chunk: Buffer) => {
      if (!chunk.toString('latin1').includes('"messages"')) return
      answered += 1
      if (answered > 1) socket.resetAndDestroy()
      else
        socket.write(
          `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${CHAT_ANSWER.length}\r\n\r\n${CHAT_ANSWER}`,
        )
    })
  })
  const stack = await startStack(t, onlyA(elsewhere(`${url}/v1`)))
  const statuses = new Set<number>()
  for (let round = 0; round < 20; round += 1) statuses.add((await ask(stack)).status)
  t.strictSame([...statuses], [200])
  t.notMatch(stack.log(), /attempt failed/, 'a connection that was reused says nothing about the provider')
})

const BAD_REPLIES: Readonly<Record<string, readonly unknown[]>> = {
  'F8 a status line that is none': [{ malformed: 'status-line' }],
  'F8 a chunk size that is none': [{ malformed: 'chunk-size' }],
  'F8 a content-length that is too short': [{ malformed: 'content-length-short' }],
  'F8 a content-length that is too long': [{ malformed: 'content-length-long' }],
  'F8 a negative content-length': [{ malformed: 'content-length-negative' }],
  'F8 two content-lengths': [{ malformed: 'double-content-length' }],
  'F8 gzip, cut, although identity was asked for': [{ malformed: 'gzip-cut' }],
  'F8 six encodings on top of each other': [{ malformed: 'encodings-stacked' }],
  'F9 a header of 1 MiB': [{ malformed: 'header-huge' }],
  'F9 garbage instead of HTTP': [{ raw: '\u0000\u0001garbage\r\n\r\n' }, { close: true }],
  'F10 101 that nobody asked for': [{ malformed: 'switching-protocols' }],
  'F10 204 with a body': [{ malformed: 'no-content-with-body' }],
  'F10 304 with a body': [{ malformed: 'not-modified-with-body' }],
  'a redirect': [{ status: 302, headers: { location: '/elsewhere' } }, { end: true }],
  'an empty 200': [{ status: 200, headers: { 'content-type': 'application/json' } }, { end: true }],
  'HTML with status 200': [
    { status: 200, headers: { 'content-type': 'text/html' } },
    { write: '<html>' },
    { end: true },
  ],
  'a JSON array with status 200': [
    { status: 200, headers: { 'content-type': 'application/json' } },
    { write: '[]' },
    { end: true },
  ],
}
for (const stream of [false, true]) {
  for (const [name, script] of Object.entries(BAD_REPLIES)) {
    t.test(`${name}: the next account answers (${stream ? 'stream' : 'whole reply'})`, async (t) => {
      const stack = await startStack(t, TWO)
      stack.simulator.script({ match: { key: 'sk-a' }, script } as never)
      const reply = await ask(stack, { stream })
      t.equal(reply.status, 200)
      t.strictSame(asked(stack), ['a', 'b'])
      t.equal(reply.headers.get('x-korproxy-account'), 'b')
      t.match(reply.text, stream ? /\[DONE\]\n\n$/ : /"finish_reason":"stop"/)
      await servesOn(t, stack)
    })
  }
}

for (const malformed of [
  'status-line',
  'chunk-size',
  'gzip-cut',
  'header-huge',
  'switching-protocols',
  'no-content-with-body',
] as const) {
  t.test(`${malformed} from everybody is 502 with a code, in the client's format`, async (t) => {
    const stack = await startStack(t, TWO)
    stack.simulator.script({ script: [{ malformed }] })
    const reply = await ask(stack)
    t.equal(reply.status, 502)
    t.match(reply.headers.get('x-korproxy-error'), /^KP-(NET|PROV)-\d{3}$/)
    t.type(JSON.parse(reply.text).error.message, 'string')
    t.equal(stack.simulator.requests().length <= 3, true)
    await servesOn(t, stack)
  })
}

t.test('F9 headers of 17 KiB pass', async (t) => {
  const stack = await startStack(t, TWO)
  stack.simulator.script({ match: { key: 'sk-a' }, script: [{ malformed: 'header-large' }] })
  t.equal((await ask(stack)).status, 200)
  t.strictSame(asked(stack), ['a'])
})

t.test('F9 3,000 header lines end one way or the other, never in a hang', async (t) => {
  const stack = await startStack(t, TWO)
  stack.simulator.script({ match: { key: 'sk-a' }, script: [{ malformed: 'header-many' }] })
  t.equal((await ask(stack)).status, 200)
  await servesOn(t, stack)
})

t.test('F10 102 and 103 before the 200 are skipped', async (t) => {
  const stack = await startStack(t, TWO)
  const hints = 'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>; rel=preload\r\n\r\n'
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n'
  stack.simulator.script({
    match: { key: 'sk-a' },
    script: [{ raw: `${hints}${head}${CHAT_ANSWER}` }, { close: true }],
  })
  t.equal((await ask(stack)).status, 200)
  t.strictSame(asked(stack), ['a'])
})

t.test('F10 a 100 that nobody asked for is skipped as well', async (t) => {
  const stack = await startStack(t, TWO)
  stack.simulator.script({ match: { key: 'sk-a' }, script: [{ malformed: 'informational' }] })
  t.equal((await ask(stack)).status, 200)
  t.strictSame(asked(stack), ['a'])
  await servesOn(t, stack)
})

t.test('F10 announcements without end end the attempt', async (t) => {
  const stack = await startStack(t, TWO)
  const hint = 'HTTP/1.1 103 Early Hints\r\nlink: </x>; rel=preload\r\n\r\n'
  stack.simulator.script({ match: { key: 'sk-a' }, script: [{ raw: hint.repeat(1_000) }, { sleep: 5_000 }] })
  t.equal((await ask(stack)).status, 200)
  t.strictSame(asked(stack), ['a', 'b'])
  await servesOn(t, stack)
})

for (const status of [401, 413]) {
  t.test(
    `F11 a provider that answers ${status} while 20 MB are still going up: 20 of 20 are answered well`,
    async (t) => {
      const stack = await startStack(
        t,
        `${TWO}---\napiVersion: korproxy.dev/v1alpha1\nkind: GatewayConfig\nmetadata: {name: default}\nspec: {requestLimits: {maxBodySize: 32Mi}}\n`,
      )
      const content = 'x'.repeat(20 * 1024 * 1024)
      const results: Record<string, number> = {}
      for (let round = 0; round < 20; round += 1) {
        stack.simulator.reset()
        stack.simulator.script({ script: [{ early: true }, { failure: { status } }, { close: true }] })
        const reply = await ask(stack, { messages: [{ role: 'user', content }] })
        const result = `${reply.status} ${reply.headers.get('x-korproxy-error')}`
        results[result] = (results[result] ?? 0) + 1
        await fetch(`${stack.url}/_korproxy/health/reset`, {
          method: 'POST',
          headers: { authorization: 'Bearer kpm-test' },
        })
      }
      t.strictSame(results, status === 401 ? { '502 KP-PROV-102': 20 } : { '413 KP-PROV-104': 20 })
      await servesOn(t, stack)
    },
  )
}

t.test('F11 a body above the limit is refused with 413 while it is still coming: 20 of 20', async (t) => {
  const stack = await startStack(
    t,
    `${TWO}---\napiVersion: korproxy.dev/v1alpha1\nkind: GatewayConfig\nmetadata: {name: default}\nspec: {requestLimits: {maxBodySize: 1Mi}}\n`,
  )
  const chunk = new Uint8Array(64 * 1024).fill(32)
  const statuses: Record<number, number> = {}
  for (let round = 0; round < 20; round += 1) {
    let left = 160
    const body = new ReadableStream({
      pull(controller) {
        left -= 1
        if (left < 0) controller.close()
        else controller.enqueue(chunk)
      },
    })
    const reply = await fetch(`${stack.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      duplex: 'half',
    } as RequestInit)
    await reply.text()
    statuses[reply.status] = (statuses[reply.status] ?? 0) + 1
  }
  t.strictSame(statuses, { 413: 20 })
  t.equal(stack.simulator.requests().length, 0)
})

for (const name of ['expired', 'self-signed', 'wrong-name'] as const) {
  t.test(
    `F14 a certificate that is ${name} is refused with its own code, whatever authority the account trusts`,
    async (t) => {
      const simulator = await startSimulator({
        tls: { key: certificate(`${name}.key`), cert: certificate(`${name}.crt`) },
      })
      t.teardown(() => simulator.close())
      const stack = await startStack(
        t,
        onlyA(`${AUTHORITY}${elsewhere(`${simulator.url}/v1`, 'tls: {caSecretKeyRef: {name: authority}}')}`),
      )
      const reply = await ask(stack)
      t.equal(reply.status, 502)
      t.equal(reply.headers.get('x-korproxy-error'), 'KP-NET-306')
      t.equal(simulator.requests().length, 0, 'no byte of a request')
    },
  )
}

t.test('F14 an authority is trusted by the account that names it, and by no other', async (t) => {
  const simulator = await startSimulator({ tls: { key: certificate('good.key'), cert: certificate('good.crt') } })
  t.teardown(() => simulator.close())
  const url = `${simulator.url}/v1`
  const trusting = await startStack(
    t,
    onlyA(`${AUTHORITY}${elsewhere(url, 'tls: {caSecretKeyRef: {name: authority}}')}`),
  )
  t.equal((await ask(trusting)).status, 200)
  const other = await startStack(t, onlyA(elsewhere(url)))
  t.equal((await ask(other)).headers.get('x-korproxy-error'), 'KP-NET-306')
  t.equal(simulator.requests().length, 1)
})

t.test('file descriptors are back to where they were after faults', async (t) => {
  const before = openDescriptors()
  await t.test('faults', async (t) => {
    const stack = await startStack(t, TWO)
    for (const script of ['reset', 'fin', 'cut', 'cutreset', 'garbage', 'status-line', 'truncate'] as const) {
      stack.simulator.reset()
      stack.simulator.script({ match: { key: 'sk-a' }, times: 5, script })
      for (let round = 0; round < 5; round += 1) await ask(stack, { stream: round % 2 === 0 })
    }
    t.equal(stack.standalone.gateway.inFlight, 0)
  })
  const after = await waitFor(openDescriptors, (count) => count <= before + 5)
  t.ok(after <= before + 5, `${before} before, ${after} after`)
})

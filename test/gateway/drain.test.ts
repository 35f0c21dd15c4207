import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'
import { openSocket, readReply } from '../helpers/raw-socket.ts'
import { accounts, scratch, waitFor } from '../helpers/stack.ts'

interface Process {
  readonly url: string
  readonly simulator: Simulator
  readonly child: ChildProcess
  readonly exit: Promise<number | null>
  readonly output: () => string
}

/** `korproxy serve` as a process of its own, with the simulator as its provider. */
async function serve(t: Test, flags: readonly string[] = [], manifests = accounts(['a'])): Promise<Process> {
  const simulator = await startSimulator()
  const folder = scratch(t)
  writeFileSync(join(folder, 'korproxy.yaml'), manifests.replaceAll('{simulator}', simulator.url))
  const child = spawn(
    process.execPath,
    ['src/cli/launch.ts', 'serve', '--config', folder, '--port', '0', '--state-dir', scratch(t), ...flags],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'] } },
  )
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
  }
  const exit = once(child, 'exit').then(([code]: unknown[]) => (typeof code === 'number' ? code : null))
  t.teardown(async () => {
    child.kill('SIGKILL')
    await simulator.close()
  })
  await waitFor(
    () => text,
    (output) => output.includes('"url":"http'),
  )
  const url = /"url":"(http[^"]+)"/.exec(text)?.[1]
  if (url === undefined) throw new Error(`serve did not start: ${text}`)
  return { url, simulator, child, exit, output: () => text }
}

interface Client {
  readonly path: string
  readonly body: Readonly<Record<string, unknown>>
}

const MESSAGES = [{ role: 'user', content: 'Hi' }]
const OPENAI: Client = {
  path: '/v1/chat/completions',
  body: { model: 'gpt-4o-mini', stream: true, messages: MESSAGES },
}
const CLIENTS: Readonly<Record<string, Client & { readonly error: RegExp }>> = {
  'OpenAI chat': { ...OPENAI, error: /data: \{"error":\{[^\n]*KP-SYS-502[^\n]*\}\n\n$/ },
  Anthropic: {
    path: '/v1/messages',
    body: { model: 'gpt-4o-mini', max_tokens: 50, stream: true, messages: MESSAGES },
    error: /event: error\ndata: \{[^\n]*KP-SYS-502[^\n]*\}\n\n$/,
  },
  Ollama: {
    path: '/api/chat',
    body: { model: 'gpt-4o-mini', messages: MESSAGES },
    error: /\{"error":"[^\n]*KP-SYS-502[^\n]*\}\n$/,
  },
}

async function ask({ url }: Process, { path, body }: Client): Promise<{ status: number; text: string }> {
  const reply = await fetch(`${url}${path}`, { method: 'POST', body: JSON.stringify(body) })
  return { status: reply.status, text: await reply.text() }
}

t.test('R13.1 F22 SIGTERM lets every request under way finish, and the process ends with 0 soon after', async (t) => {
  const gateway = await serve(t)
  gateway.simulator.script({ times: 50, script: [{ reply: { chunks: 20, gapMs: 50 } }] })
  const streams = Array.from({ length: 50 }, () => ask(gateway, OPENAI))
  await waitFor(
    () => gateway.simulator.stats().inFlight,
    (count) => count === 50,
  )
  const idle = await openSocket(gateway.url)
  gateway.child.kill('SIGTERM')
  const answers = await Promise.all(streams)
  t.equal(answers.filter(({ status, text }) => status === 200 && text.endsWith('data: [DONE]\n\n')).length, 50)
  t.equal(await gateway.exit, 0)
  idle.destroy()
})

t.test('R13.1 while it drains readiness is off, and replies close their connections', async (t) => {
  const gateway = await serve(t)
  gateway.simulator.script({ times: 1, script: [{ reply: { chunks: 30, gapMs: 50 } }] })
  const stream = ask(gateway, OPENAI)
  await waitFor(
    () => gateway.simulator.stats().inFlight,
    (count) => count === 1,
  )
  t.equal((await fetch(`${gateway.url}/readyz`)).status, 200)
  gateway.child.kill('SIGTERM')
  const status = await waitFor(
    async () => (await fetch(`${gateway.url}/readyz`)).status,
    (code) => code === 503,
  )
  t.equal(status, 503)
  t.equal((await fetch(`${gateway.url}/livez`)).status, 200)
  const body = JSON.stringify({ ...OPENAI.body, stream: false })
  const socket = await openSocket(gateway.url)
  socket.write(`POST ${OPENAI.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  const late = await readReply(socket)
  t.ok([200, 503].includes(late.status), String(late.status))
  t.equal(late.headers['connection'], 'close')
  t.match(await stream, { status: 200, text: /\[DONE\]\n\n$/ })
  t.equal(await gateway.exit, 0)
})

for (const [name, client] of Object.entries(CLIENTS)) {
  t.test(
    `F22 when the grace is over a stream ends in an error of its own format (${name}), and the process with 0`,
    async (t) => {
      const gateway = await serve(t, ['--drain', '1'])
      gateway.simulator.script({ script: [{ reply: { events: 2 } }, { hang: true }] })
      const stream = ask(gateway, client)
      await waitFor(
        () => gateway.simulator.stats().inFlight,
        (count) => count === 1,
      )
      gateway.child.kill('SIGTERM')
      const { status, text } = await stream
      t.equal(status, 200)
      t.match(text, client.error)
      t.equal(await gateway.exit, 0)
    },
  )
}

t.test(
  'F22 what has shown nothing yet is told 503 when the grace is over, also while it waits for a retry',
  async (t) => {
    const gateway = await serve(
      t,
      ['--drain', '1'],
      `${accounts(['a'])}
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: main}
spec:
  accountRefs: [{name: a}]
  retry: {sameAccountBackoff: {base: 30s, max: 30s}}
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: default}
spec: {defaultProviderGroup: {name: main}}
`,
    )
    gateway.simulator.script({ match: { model: 'gpt-4o-mini' }, script: [{ hang: true }] })
    gateway.simulator.script({ match: { model: 'gpt-4o' }, script: [{ failure: { status: 500 } }] })
    const silent = ask(gateway, OPENAI)
    const waiting = ask(gateway, { ...OPENAI, body: { ...OPENAI.body, model: 'gpt-4o' } })
    await waitFor(
      () => gateway.simulator.requests().length,
      (count) => count === 2,
    )
    gateway.child.kill('SIGTERM')
    for (const { status, text } of await Promise.all([silent, waiting])) {
      t.equal(status, 503)
      t.match(text, /KP-SYS-502/)
    }
    t.equal(await gateway.exit, 0)
  },
)

t.test('a second SIGTERM ends the process at once', async (t) => {
  const gateway = await serve(t)
  gateway.simulator.script({ script: [{ reply: { events: 2 } }, { hang: true }] })
  const stream = ask(gateway, OPENAI).catch(() => 'cut')
  await waitFor(
    () => gateway.simulator.stats().inFlight,
    (count) => count === 1,
  )
  gateway.child.kill('SIGTERM')
  await waitFor(
    async () => (await fetch(`${gateway.url}/readyz`)).status,
    (code) => code === 503,
  )
  gateway.child.kill('SIGTERM')
  t.equal(await gateway.exit, 1)
  await stream
})

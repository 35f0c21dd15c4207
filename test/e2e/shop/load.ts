// Runs in a pod, with nothing but Node: asks for answers at a fixed rate and keeps streams open, counts what fails, retries nothing.
// `GET /` tells the counts, `POST /stop` ends the load and tells them when the last answer is there.
import { Agent, request as askHttp, createServer, type IncomingMessage } from 'node:http'

interface Counts {
  ok: number
  failed: number
}

interface Failure {
  count: number
  readonly firstMs: number
  lastMs: number
}

interface Answer {
  readonly status: number
  readonly text: string
}

type Ask = (body: string) => Promise<Answer>

const { TARGET = '', KEY = '', RATE = '200', STREAMS = '100', PORT = '8080' } = process.env
const TICK_MS = 5
const SHOWN_FAILURES = 50
/** Chunks of a stream and milliseconds between them: most are short, some outlive a gateway. */
const STREAM_KINDS = [
  { chunks: 20, gapMs: 200 },
  { chunks: 20, gapMs: 200 },
  { chunks: 20, gapMs: 200 },
  { chunks: 60, gapMs: 400 },
] as const

const headers = { 'content-type': 'application/json', authorization: `Bearer ${KEY}` }
const url = `${TARGET}/v1/chat/completions`
const messages = [{ role: 'user', content: 'Hello' }]
const agent = new Agent({ keepAlive: true })

/** The two HTTP clients of Node keep connections in different ways. */
const clients: readonly (readonly [string, Ask])[] = [
  ['fetch', askWithFetch],
  ['http', askWithAgent],
]

async function askWithFetch(body: string): Promise<Answer> {
  const answer = await fetch(url, { method: 'POST', headers, body })
  return { status: answer.status, text: await answer.text() }
}

async function askWithAgent(body: string): Promise<Answer> {
  const outgoing = askHttp(url, { method: 'POST', headers: { ...headers, 'content-length': body.length }, agent })
  const reply = await new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.on('response', resolve)
    outgoing.on('error', (cause) =>
      reject(new Error(outgoing.reusedSocket ? 'kept connection' : 'new connection', { cause })),
    )
    outgoing.end(body)
  })
  reply.setEncoding('utf8')
  let text = ''
  for await (const piece of reply) text += piece
  return { status: reply.statusCode ?? 0, text }
}

const startedAt = performance.now()
const requests: Counts = { ok: 0, failed: 0 }
const streams: Counts = { ok: 0, failed: 0 }
const failures = new Map<string, Failure>()
const latenciesMs: number[] = []
let underWay = 0
let asked = 0
let ends: 'no' | 'yes' = 'no'

function reasonOf(error: unknown): string {
  const parts: string[] = []
  for (let at = error; at instanceof Error; at = at.cause) {
    parts.push('code' in at ? `${at.message} (${String(at.code)})` : at.message)
  }
  return parts.join(': ')
}

function noteFailure(kind: string): void {
  const nowMs = Math.round(performance.now() - startedAt)
  const known = failures.get(kind) ?? { count: 0, firstMs: nowMs, lastMs: nowMs }
  if (failures.size < SHOWN_FAILURES) failures.set(kind, known)
  known.count += 1
  known.lastMs = nowMs
}

async function attempt(what: string, counts: Counts, turn: number, run: (ask: Ask) => Promise<void>): Promise<void> {
  const [client, ask] = clients[turn % clients.length] ?? ['fetch', askWithFetch]
  underWay += 1
  try {
    await run(ask)
    counts.ok += 1
  } catch (error) {
    counts.failed += 1
    noteFailure(`${what} with ${client}: ${reasonOf(error)}`)
  }
  underWay -= 1
}

async function askOnce(ask: Ask): Promise<void> {
  const sentAt = performance.now()
  const { status, text } = await ask(JSON.stringify({ model: 'gpt-4o-mini', messages }))
  if (status !== 200 || !text.includes('"finish_reason":"stop"')) throw new Error(`${status} ${text.slice(0, 300)}`)
  latenciesMs.push(performance.now() - sentAt)
}

async function streamOnce(
  ask: Ask,
  { chunks, gapMs }: { readonly chunks: number; readonly gapMs: number },
): Promise<void> {
  const model = `gpt-4o-mini--chunks${chunks}--gap${gapMs}`
  const { status, text } = await ask(JSON.stringify({ model, messages, stream: true }))
  const isWhole = text.split('"content":"').length > chunks && text.includes('"finish_reason":"stop"')
  if (status === 200 && isWhole && text.endsWith('data: [DONE]\n\n')) return
  throw new Error(`${status}, a stream that ends in ${text.slice(-200)}`)
}

async function keepStreaming(number: number): Promise<void> {
  const kind = STREAM_KINDS[number % STREAM_KINDS.length] ?? STREAM_KINDS[0]
  // They do not all begin at once.
  await new Promise((resolve) => setTimeout(resolve, number * 50))
  for (let turn = number; ends === 'no'; turn += 1)
    await attempt('stream', streams, turn, (ask) => streamOnce(ask, kind))
}

const timer = setInterval(() => {
  const due = ((performance.now() - startedAt) / 1000) * Number(RATE)
  for (; asked < due; asked += 1) void attempt('request', requests, asked, askOnce)
}, TICK_MS)
for (let number = 0; number < Number(STREAMS); number += 1) void keepStreaming(number)

function report(): string {
  const sorted = latenciesMs.toSorted((a, b) => a - b)
  const at = (share: number): number => Math.round((sorted[Math.floor(sorted.length * share)] ?? 0) * 10) / 10
  const latency = { p50: at(0.5), p99: at(0.99), max: at(0.999999) }
  const seconds = Math.round(performance.now() - startedAt) / 1000
  return JSON.stringify({
    requests,
    streams,
    underWay,
    seconds,
    latencyMs: latency,
    failures: Object.fromEntries(failures),
  })
}

createServer(async (request, reply) => {
  if (request.method === 'POST') {
    ends = 'yes'
    clearInterval(timer)
    while (underWay > 0) await new Promise((resolve) => setTimeout(resolve, 50))
  }
  reply.end(report())
}).listen(Number(PORT))

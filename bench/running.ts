import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { writeBody } from './bodies.ts'
import type { Addressing, Gateway } from './gateways.ts'
import { GATEWAY_CPU, LOAD_CPU, type Places } from './places.ts'
import { memoryMB, processTree } from './processes.ts'

const POLL_MS = 5
const SETTLE_MS = 1000
const STOP_TIMEOUT_MS = 5000
const START_TIMEOUT_S = 30

/** A gateway that answers. Direct has no process. */
export interface Running {
  readonly gateway: Gateway
  readonly url: string
  readonly child: ChildProcess | undefined
  /** From the start of the process to the first 200 through it. */
  readonly readyMs: number
  readonly idleMB: number
  /** An OpenAI request to its Anthropic upstream was answered with an OpenAI answer. */
  readonly translates: boolean
}

/** Every process of a run, so that an interrupted one leaves none behind. */
export type Children = Set<ChildProcess>

/** The mock upstream, on the load generator's CPU. */
export async function startMock(places: Places, children: Children): Promise<ChildProcess> {
  const program = join(places.scratch, 'bin', 'mock')
  const child = spawn('taskset', ['-c', `${LOAD_CPU}`, program, `${places.mockPort}`], { stdio: ['ignore', 2, 2] })
  children.add(child)
  await waitUntil(() => isListening(places.mockPort), { what: 'the mock upstream', timeoutS: 5, child })
  return child
}

/** Starts a gateway on its own CPU and waits until a request comes through it. */
export async function startGateway(places: Places, gateway: Gateway, children: Children): Promise<Running> {
  const ownUrl = gateway.url ?? `http://127.0.0.1:${places.port}/v1/chat/completions`
  if (!gateway.command) return { gateway, url: ownUrl, child: undefined, readyMs: 0, idleMB: 0, translates: false }
  const log = join(places.run, `${gateway.name}.log`)
  const startedMs = performance.now()
  const child = spawnPinned(places, gateway, log)
  children.add(child)
  const timeoutS = gateway.startTimeoutS ?? START_TIMEOUT_S
  const body = readFileSync(writeBody(places, 'small', gateway.passThrough.model))
  try {
    let url: string | undefined
    await waitUntil(
      async () => {
        url = gateway.urlPattern ? gateway.urlPattern.exec(readFileSync(log, 'utf8'))?.[1] : ownUrl
        return url !== undefined && (await answers(url, gateway.passThrough, body))
      },
      { what: `${gateway.name} (see ${log})`, timeoutS, child },
    )
    const readyMs = performance.now() - startedMs
    await sleep(SETTLE_MS)
    const idleMB = memoryMB(processTree(child.pid ?? 0))
    const translates = await canTranslate(places, gateway, url ?? ownUrl)
    return { gateway, url: url ?? ownUrl, child, readyMs, idleMB, translates }
  } catch (error) {
    await stop(child)
    throw error
  }
}

/** Ends a process that this run started, with its children. */
export async function stop(child: ChildProcess | undefined): Promise<void> {
  if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return
  const pids = processTree(child.pid)
  const exited = once(child, 'exit')
  for (const pid of pids) signal(pid, 'SIGTERM')
  const inTime = await Promise.race([exited.then(() => true), sleep(STOP_TIMEOUT_MS, false, { ref: false })])
  if (inTime) return
  for (const pid of pids) signal(pid, 'SIGKILL')
  await exited
}

/** A second run at the same time would measure the first one's gateway, and both would be wrong. */
export async function assertPortsFree(places: Places): Promise<void> {
  for (const port of [places.port, places.mockPort]) {
    if (await isListening(port)) throw new Error(`port ${port} is taken: another run? Choose one with --port`)
  }
}

function spawnPinned(places: Places, gateway: Gateway, log: string): ChildProcess {
  const output = openSync(log, 'w')
  const child = spawn('taskset', ['-c', `${GATEWAY_CPU}`, ...(gateway.command ?? [])], {
    cwd: places.run,
    env: { ...process.env, ...gateway.environment },
    stdio: ['ignore', output, output],
  })
  closeSync(output)
  return child
}

interface Waiting {
  readonly what: string
  readonly timeoutS: number
  readonly child: ChildProcess
}

async function waitUntil(condition: () => Promise<boolean>, waiting: Waiting): Promise<void> {
  const deadlineMs = performance.now() + waiting.timeoutS * 1000
  while (!(await condition())) {
    if (waiting.child.exitCode !== null) throw new Error(`${waiting.what} exited with ${waiting.child.exitCode}`)
    if (performance.now() > deadlineMs) throw new Error(`${waiting.what} did not answer within ${waiting.timeoutS} s`)
    await sleep(POLL_MS)
  }
}

async function canTranslate(places: Places, gateway: Gateway, url: string): Promise<boolean> {
  if (!gateway.translated) return false
  const works = await answers(
    url,
    gateway.translated,
    readFileSync(writeBody(places, 'small', gateway.translated.model)),
  )
  if (!works) process.stderr.write(`${gateway.name} did not translate a request: left out of those scenarios\n`)
  return works
}

/** A 200 that is an OpenAI chat completion. */
function answers(url: string, addressing: Addressing, body: Buffer): Promise<boolean> {
  const headers = { 'content-type': 'application/json', ...addressing.headers }
  return new Promise((resolve) => {
    const sent = request(url, { method: 'POST', headers, agent: false, timeout: 2000 }, async (response) => {
      const answer = await text(response).catch(() => '')
      resolve(response.statusCode === 200 && answer.includes('"choices"'))
    })
    sent.on('error', () => resolve(false)).on('timeout', () => sent.destroy())
    sent.end(body)
  })
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.on('connect', () => socket.destroy()).on('close', (hadError) => resolve(!hadError))
    socket.on('error', () => undefined)
  })
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    // A child that ended before its turn needs no signal.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

import { spawn } from 'node:child_process'
import { get } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { writeBody } from './bodies.ts'
import type { Addressing } from './gateways.ts'
import { LOAD_CPU, type Places } from './places.ts'
import { cpuSeconds, machineBusySeconds, memoryMB, processTree } from './processes.ts'
import type { Running } from './running.ts'
import type { Scenario, StreamShape } from './scenarios.ts'

/** Cores that other processes may use before a measurement is repeated. */
const NOISY_CORES = 0.12
const DEFAULT_STEADY_RATE = 500
/** A load generator that has not ended this long after its window is stuck. */
const GRACE_S = 15
const SETTLE_STEP_MS = 100
const SETTLE_MAX_MS = 5000
/** One tick of Linux's accounting. */
const IDLE_CPU_SECONDS = 0.015

export interface Percentiles {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** What kload prints. */
interface LoadResult {
  readonly answered: number
  readonly refused: number
  readonly broken: number
  readonly chunks: number
  readonly seconds: number
  readonly latencyUs?: Percentiles
  readonly firstTokenUs?: Percentiles
  readonly chunkLagUs?: Percentiles
}

export interface Measurement extends LoadResult {
  /** CPU time of the gateway's whole process tree in the window. */
  readonly cpuSeconds: number
  readonly memoryMB: number
  /** Cores used by processes that are none of ours: what it says about others says how far to trust the rest. */
  readonly foreignCores: number
}

/** What is the same for every measurement of a run. */
export interface Bench {
  readonly places: Places
  readonly mockPid: number
  readonly windowS: number
}

/** Runs one scenario; again, keeping the quieter result, when other processes disturbed the first try. */
export async function measure(bench: Bench, running: Running, scenario: Scenario): Promise<Measurement> {
  if (scenario.stream) await setStreamShape(bench.places, scenario.stream)
  const first = await measureOnce(bench, running, scenario)
  if (first.foreignCores < NOISY_CORES) return first
  const second = await measureOnce(bench, running, scenario)
  return second.foreignCores < first.foreignCores ? second : first
}

/** Waits until the gateway has worked off what the last scenario left, so that a slow one does not pay for it twice. */
async function settle(running: Running): Promise<void> {
  if (!running.child?.pid) return
  const pids = processTree(running.child.pid)
  for (let waitedMs = 0; waitedMs < SETTLE_MAX_MS; waitedMs += SETTLE_STEP_MS) {
    const before = cpuSeconds(pids)
    await sleep(SETTLE_STEP_MS)
    if (cpuSeconds(pids) - before <= IDLE_CPU_SECONDS) return
  }
}

async function measureOnce(bench: Bench, running: Running, scenario: Scenario): Promise<Measurement> {
  await settle(running)
  const load = spawn('taskset', loadCommand(bench, running, scenario), { stdio: ['ignore', 'pipe', 'pipe'] })
  const guard = setTimeout(() => load.kill('SIGKILL'), (scenario.warmupS + bench.windowS + GRACE_S) * 1000)
  const exited = new Promise<number | null>((resolve) => load.on('close', resolve))
  const output = text(load.stdout)
  const ours = [bench.mockPid, load.pid ?? 0]
  const marks: Mark[] = []
  let loadedMB = 0
  for await (const line of createInterface({ input: load.stderr })) {
    if (line !== 'MEASURE' && line !== 'END') process.stderr.write(`${line}\n`)
    else marks.push(mark(running, ours))
    // Only after the window: reading a process's memory map holds the process up.
    if (line === 'END' && running.child?.pid) loadedMB = memoryMB(processTree(running.child.pid))
  }
  const status = await exited
  clearTimeout(guard)
  const [from, to] = marks
  if (status !== 0 || !from || !to) throw new Error(`${running.gateway.name}: ${scenario.name} could not be measured`)
  // kload prints exactly the members of LoadResult.
  return { ...(JSON.parse(await output) as LoadResult), ...difference(from, to), memoryMB: loadedMB }
}

function loadCommand(bench: Bench, running: Running, scenario: Scenario): string[] {
  const addressing = addressingOf(running, scenario)
  const rate = running.gateway.steadyRate ?? DEFAULT_STEADY_RATE
  return [
    ...['-c', `${LOAD_CPU}`, join(bench.places.scratch, 'bin', 'kload')],
    ...['-c', `${scenario.connections}`, '-w', `${scenario.warmupS}`, '-t', `${bench.windowS}`],
    ...(scenario.steady ? ['-r', `${rate}`] : []),
    ...(scenario.stream ? ['-s'] : []),
    ...Object.entries(addressing.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]),
    ...['-b', writeBody(bench.places, scenario.body, addressing.model), running.url],
  ]
}

function addressingOf(running: Running, scenario: Scenario): Addressing {
  const { passThrough, translated } = running.gateway
  if (!scenario.translated) return passThrough
  if (!translated) throw new Error(`${running.gateway.name} is not set up for translated requests`)
  return translated
}

interface Mark {
  readonly gatewayCpu: number
  readonly oursCpu: number
  readonly machineCpu: number
  readonly timeMs: number
}

function mark(running: Running, ours: readonly number[]): Mark {
  const pids = running.child?.pid ? processTree(running.child.pid) : []
  const gatewayCpu = cpuSeconds(pids)
  const oursCpu = gatewayCpu + cpuSeconds([...ours, process.pid])
  return { gatewayCpu, oursCpu, machineCpu: machineBusySeconds(), timeMs: performance.now() }
}

function difference(from: Mark, to: Mark): Pick<Measurement, 'cpuSeconds' | 'foreignCores'> {
  const seconds = (to.timeMs - from.timeMs) / 1000
  const foreignSeconds = to.machineCpu - from.machineCpu - (to.oursCpu - from.oursCpu)
  return {
    cpuSeconds: to.gatewayCpu - from.gatewayCpu,
    foreignCores: Math.max(0, foreignSeconds / seconds),
  }
}

function setStreamShape(places: Places, shape: StreamShape): Promise<void> {
  const url = `http://127.0.0.1:${places.mockPort}/__set?chunks=${shape.chunks}&gap_us=${shape.gapUs}`
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => response.resume().on('end', () => resolve())).on('error', reject)
  })
}

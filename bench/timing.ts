/** How long single calls took. Every sample holds the cost of reading the clock: compare with an empty call. */
export interface CallTimes {
  readonly calls: number
  readonly p50Us: number
  readonly p99Us: number
  readonly maxUs: number
}

/**
 * Times calls one by one, so that a slow one in a hundred shows. `call` gets the number of the call, to vary its input;
 * its results are kept in use, or the compiler could drop the call.
 */
export function timeCalls(call: (index: number) => unknown, count: number): CallTimes {
  const samplesUs = new Float64Array(count)
  let used = 0
  for (let index = 0; index < count; index++) used += call(index) === undefined ? 0 : 1
  for (let index = 0; index < count; index++) {
    const startedMs = performance.now()
    const result = call(index)
    samplesUs[index] = (performance.now() - startedMs) * 1000
    used += result === undefined ? 0 : 1
  }
  if (used < 0) throw new Error('calls were not counted')
  samplesUs.sort()
  const at = (share: number): number => samplesUs[Math.min(count - 1, Math.floor(count * share))] ?? Number.NaN
  return { calls: count, p50Us: at(0.5), p99Us: at(0.99), maxUs: at(1) }
}

/** The longest time that `action` kept the event loop from turning, in milliseconds; it may yield in between. */
export async function longestBlockMs(action: () => unknown): Promise<number> {
  let longestMs = 0
  let lastTurnMs = performance.now()
  let running = true
  const turn = (): void => {
    const nowMs = performance.now()
    longestMs = Math.max(longestMs, nowMs - lastTurnMs)
    lastTurnMs = nowMs
    if (running) setImmediate(turn)
  }
  await new Promise((resolve) => setImmediate(resolve))
  lastTurnMs = performance.now()
  setImmediate(turn)
  await action()
  await new Promise((resolve) => setImmediate(resolve))
  running = false
  return longestMs
}

import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/** Two halves of 8 MB: what the caches of a core hold. Beyond it V8 would go on to 64 MB, and each request cost more. */
const LARGEST_BYTES = 16 * 1024 * 1024

/** By how much the old generation may grow beyond what is alive before it is collected, %. V8 itself lets it become four times as large. */
const OLD_GENERATION_GROWTH = 120

/** Calls after which V8's two compilers optimise a function, as V8 has them. */
const HOT_CALLS = { maglev: 400, turbofan: 3_000 }
/** What they make of code that runs for a third of a second comes too late, and takes memory. */
const HOTTER_AT_START = 10

/**
 * For what runs once. The young generation stays as small as it is: nearly all that a start allocates stays, so that a larger one
 * would only take memory and time for copying. Code is optimised late: a long command has it all the same.
 */
export function setFlagsForStart(): void {
  holdYoungGeneration()
  optimizeAfter(HOTTER_AT_START)
}

/**
 * From now on hot code is optimised as V8 wants it, the young generation grows with the load up to a limit, as with
 * `--max-semi-space-size`, which must be known before the process starts, and the old one within a limit: what streams and
 * bodies leave behind is collected in time, not kept for later.
 */
export function setFlagsForServing(): void {
  optimizeAfter(1)
  setFlagsFromString(`--heap-growing-percent=${OLD_GENERATION_GROWTH}`)
  growYoungGeneration()
  const observer = new PerformanceObserver(() => {
    if (youngGenerationBytes() < LARGEST_BYTES) growYoungGeneration()
    else holdYoungGeneration()
  })
  observer.observe({ entryTypes: ['gc'] })
}

function optimizeAfter(times: number): void {
  setFlagsFromString(`--invocation-count-for-maglev=${HOT_CALLS.maglev * times}`)
  setFlagsFromString(`--invocation-count-for-turbofan=${HOT_CALLS.turbofan * times}`)
}

function holdYoungGeneration(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}

function growYoungGeneration(): void {
  setFlagsFromString('--semi-space-growth-factor=2')
}

function youngGenerationBytes(): number {
  return getHeapSpaceStatistics().find((space) => space.space_name === 'new_space')?.space_size ?? 0
}

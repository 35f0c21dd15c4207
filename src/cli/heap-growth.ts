import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/** Two halves of 8 MB: what the caches of a core hold. Beyond it V8 would go on to 64 MB, and each request cost more. */
const LARGEST_BYTES = 16 * 1024 * 1024

/** By how much the old generation may grow beyond what is alive before it is collected, %. V8 itself lets it become four times as large. */
const OLD_GENERATION_GROWTH = 120

/**
 * Keeps V8's young generation as small as it is. Nearly all that a start allocates stays, so that a larger one would only take
 * memory and time for copying.
 */
export function holdYoungGeneration(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}

/**
 * From now on the young generation grows with the load up to a limit, as with `--max-semi-space-size`, which must be known before
 * the process starts, and the old one within a limit: what streams and bodies leave behind is collected in time, not kept for later.
 */
export function limitHeap(): void {
  setFlagsFromString(`--heap-growing-percent=${OLD_GENERATION_GROWTH}`)
  growYoungGeneration()
  const observer = new PerformanceObserver(() => {
    if (youngGenerationBytes() < LARGEST_BYTES) growYoungGeneration()
    else holdYoungGeneration()
  })
  observer.observe({ entryTypes: ['gc'] })
}

function growYoungGeneration(): void {
  setFlagsFromString('--semi-space-growth-factor=2')
}

function youngGenerationBytes(): number {
  return getHeapSpaceStatistics().find((space) => space.space_name === 'new_space')?.space_size ?? 0
}

const FIRST_WAIT_MS = 10_000
const SECOND_WAIT_MS = 20_000
const STEADY_WAIT_MS = 30_000
/** Five minutes of steady probes. */
const STEADY_PROBES = 10

/**
 * How long an erroring account rests before its next half-open probe: 10 s, 20 s, then 30 s for five minutes, then doubling.
 * Short waits at first, because an outage that has ended must be seen within 30 s.
 * @param failedProbes probes that failed since the account became erroring
 */
export function probeWaitMs(failedProbes: number, maximumMs: number): number {
  return Math.min(unboundedWaitMs(failedProbes), maximumMs)
}

function unboundedWaitMs(failedProbes: number): number {
  if (failedProbes === 0) return FIRST_WAIT_MS
  if (failedProbes === 1) return SECOND_WAIT_MS
  const doublings = Math.max(0, failedProbes - 1 - STEADY_PROBES)
  return STEADY_WAIT_MS * 2 ** doublings
}

const DAY_S = 86_400

/** Made when it is first needed: reading the time zones takes 15 ms. */
let pacific: Intl.DateTimeFormat | undefined

/** Milliseconds until requests per day are counted anew. @see https://ai.google.dev/gemini-api/docs/rate-limits */
export function untilPacificMidnight(nowMs: number): number {
  pacific ??= new Intl.DateTimeFormat('en-US', {
    timeZone: 'America/Los_Angeles',
    hourCycle: 'h23',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  })
  const [hours = 0, minutes = 0, seconds = 0] = pacific.format(nowMs).split(':').map(Number)
  return (DAY_S - hours * 3_600 - minutes * 60 - seconds) * 1_000
}

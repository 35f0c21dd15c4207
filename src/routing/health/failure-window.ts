const BUCKETS = 10
const BUCKET_MS = 3_000
/** Below this many results a share of failures means nothing. */
const MINIMUM_RESULTS = 20
const FAILING_SHARE = 0.5

interface Bucket {
  slot: number
  results: number
  failures: number
}

/** The results of the last 30 s. Finds the account that fails every second time, which failures in a row never would. */
export class FailureWindow {
  readonly #buckets: Bucket[] = Array.from({ length: BUCKETS }, () => ({ slot: -1, results: 0, failures: 0 }))

  add(result: 'success' | 'failure', nowMs: number): void {
    const slot = Math.floor(nowMs / BUCKET_MS)
    const bucket = this.#buckets[slot % BUCKETS]
    if (bucket === undefined) return
    if (bucket.slot !== slot) {
      bucket.slot = slot
      bucket.results = 0
      bucket.failures = 0
    }
    bucket.results += 1
    if (result === 'failure') bucket.failures += 1
  }

  /** At least half of at least 20 results are failures. */
  isFailing(nowMs: number): boolean {
    const oldest = Math.floor(nowMs / BUCKET_MS) - BUCKETS
    let results = 0
    let failures = 0
    for (const bucket of this.#buckets) {
      if (bucket.slot <= oldest) continue
      results += bucket.results
      failures += bucket.failures
    }
    return results >= MINIMUM_RESULTS && failures >= results * FAILING_SHARE
  }

  clear(): void {
    for (const bucket of this.#buckets) bucket.slot = -1
  }
}

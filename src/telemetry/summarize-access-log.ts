import type { AccessLine } from './access-line.ts'
import { decimalUsd } from './decimal-usd.ts'

export type AccessLogGrouping = 'client' | 'provider' | 'account' | 'model' | 'profile' | 'type' | 'status' | 'day'

export interface AccessLogSummary {
  /** The value that the lines have in common, e.g. the account. */
  readonly key: string
  readonly requests: number
  /** Status 400 and above, but for clients that left (499), and answers that broke off. */
  readonly failures: number
  readonly inputTokens: number
  readonly outputTokens: number
  /** US dollars, decimal text, of the requests whose price is known. */
  readonly cost: string
  /** Requests that used tokens of a model without a known price. */
  readonly unpriced: number
  readonly averageLatencyMs: number
}

interface Sum {
  requests: number
  failures: number
  inputTokens: number
  outputTokens: number
  costPicoUsd: bigint
  unpriced: number
  latencyMs: number
}

/** One summary a group, most requests first. */
export async function summarizeAccessLog(
  lines: AsyncIterable<AccessLine>,
  by: AccessLogGrouping,
): Promise<readonly AccessLogSummary[]> {
  const sums = new Map<string, Sum>()
  for await (const line of lines) {
    const key = by === 'day' ? line.time.slice(0, 10) : String(line[by])
    const sum = sums.get(key) ?? emptySum()
    add(sum, line)
    sums.set(key, sum)
  }
  return [...sums]
    .map(([key, sum]) => summary(key, sum))
    .toSorted((a, b) => b.requests - a.requests || (a.key < b.key ? -1 : 1))
}

function emptySum(): Sum {
  return {
    requests: 0,
    failures: 0,
    inputTokens: 0,
    outputTokens: 0,
    costPicoUsd: 0n,
    unpriced: 0,
    latencyMs: 0,
  }
}

function add(sum: Sum, line: AccessLine): void {
  sum.requests += 1
  if ((line.status >= 400 && line.status !== 499) || line.truncated) sum.failures += 1
  sum.inputTokens += line.inputTokens ?? 0
  sum.outputTokens += line.outputTokens ?? 0
  if (line.cost !== null) sum.costPicoUsd += picoUsd(line.cost)
  else if (line.inputTokens !== null) sum.unpriced += 1
  sum.latencyMs += line.latencyMs
}

function summary(key: string, { costPicoUsd, latencyMs, ...sum }: Sum): AccessLogSummary {
  return { key, ...sum, cost: decimalUsd(costPicoUsd), averageLatencyMs: Math.round(latencyMs / sum.requests) }
}

function picoUsd(cost: string): bigint {
  const [whole = '0', fraction = ''] = cost.split('.')
  return BigInt(whole + fraction.padEnd(12, '0').slice(0, 12))
}

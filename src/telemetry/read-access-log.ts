import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { AccessLine } from './access-line.ts'
import { accessLogFiles, dayOf } from './access-log-files.ts'

/** All given conditions must hold. */
export interface AccessLogFilter {
  /** Name of the GatewayClient whose key was used. */
  readonly client?: string
  readonly tenant?: string
  readonly provider?: string
  readonly account?: string
  readonly model?: string
  /** `200`, or a class: `4xx`. */
  readonly status?: string
  readonly correlationId?: string
  /** Unix time, milliseconds; inclusive. */
  readonly fromMs?: number
  /** Unix time, milliseconds; exclusive. */
  readonly toMs?: number
}

/** A request is logged when it ends: its line may stand in the file of a later day than its arrival. */
const LATEST_END_MS = 86_400_000

/**
 * Lines that match, in the order of the files. A line that is no access line (cut off by a crash, say) is told to `skipped`.
 * @throws Error when the folder or a file cannot be read
 */
export async function* readAccessLog(
  directory: string,
  filter: AccessLogFilter,
  skipped: (file: string, lineNumber: number) => void,
): AsyncIterable<AccessLine> {
  for (const { name, day } of await accessLogFiles(directory)) {
    if (filter.fromMs !== undefined && day < dayOf(filter.fromMs)) continue
    if (filter.toMs !== undefined && day > dayOf(filter.toMs + LATEST_END_MS)) continue
    let lineNumber = 0
    for await (const text of createInterface({ input: createReadStream(join(directory, name)), crlfDelay: Infinity })) {
      lineNumber += 1
      const line = parseAccessLine(text)
      if (line === undefined) skipped(name, lineNumber)
      else if (matches(line, filter)) yield line
    }
  }
}

/** Undefined for text that is no whole line of an access log. */
function parseAccessLine(text: string): AccessLine | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    return isAccessLine(parsed) ? parsed : undefined
  } catch {
    // Text that is no JSON is an answer here.
    return undefined
  }
}

/** The two fields that every reader needs stand for the rest: a line is written whole or cut, never half right. */
function isAccessLine(parsed: unknown): parsed is AccessLine {
  if (typeof parsed !== 'object' || parsed === null) return false
  return 'time' in parsed && typeof parsed.time === 'string' && 'status' in parsed && typeof parsed.status === 'number'
}

const EQUAL = ['client', 'tenant', 'provider', 'account', 'model', 'correlationId'] as const

function matches(line: AccessLine, filter: AccessLogFilter): boolean {
  const timeMs = Date.parse(line.time)
  if (filter.fromMs !== undefined && timeMs < filter.fromMs) return false
  if (filter.toMs !== undefined && timeMs >= filter.toMs) return false
  if (filter.status !== undefined && !matchesStatus(line.status, filter.status)) return false
  return EQUAL.every((field) => filter[field] === undefined || filter[field] === line[field])
}

function matchesStatus(status: number, wanted: string): boolean {
  return /^[1-5]xx$/i.test(wanted) ? String(status)[0] === wanted[0] : String(status) === wanted
}

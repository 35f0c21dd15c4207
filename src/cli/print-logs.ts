import { existsSync } from 'node:fs'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { AccessLine } from '#telemetry/access-line.ts'
import { type AccessLogFilter, readAccessLog } from '#telemetry/read-access-log.ts'
import { type AccessLogGrouping, type AccessLogSummary, summarizeAccessLog } from '#telemetry/summarize-access-log.ts'
import { type OutputFormat, printResult, renderTable, toYaml } from './output.ts'
import type { Terminal } from './terminal.ts'

export interface LogsRequest {
  readonly directory: string
  readonly filter: AccessLogFilter
  readonly format: OutputFormat
  readonly summaryBy?: AccessLogGrouping
}

/** Writes requests line by line as they are read, or their sums. @throws KorProxyError KP-CONF-215 when there is no log */
export async function printLogs(
  terminal: Terminal,
  { directory, filter, format, summaryBy }: LogsRequest,
): Promise<void> {
  if (!existsSync(directory)) {
    const message = `${directory} does not exist; a standalone gateway with this state directory writes its access log there`
    throw new KorProxyError('KP-CONF-215', { message })
  }
  const lines = readAccessLog(directory, filter, (file, lineNumber) =>
    terminal.tell(`${file}:${lineNumber} is no whole line and was left out\n`),
  )
  if (summaryBy === undefined) return printLines(terminal, lines, format)
  const sums = await summarizeAccessLog(lines, summaryBy)
  printResult(terminal, format, sums, () => summaryTable(sums, summaryBy))
}

/** One line a request also as JSON, so that a pipe may read a long log. */
async function printLines(terminal: Terminal, lines: AsyncIterable<AccessLine>, format: OutputFormat): Promise<void> {
  if (format === 'table') terminal.print(`${HEADS.join('  ')}\n`)
  for await (const line of lines) {
    if (format === 'json') terminal.print(`${JSON.stringify(line)}\n`)
    else terminal.print(format === 'yaml' ? `---\n${toYaml(line)}` : `${cells(line).join('  ')}\n`)
  }
}

/** The lines to come are not known: these hold most names, and longer ones stick out. */
const NAME_WIDTH = 16
const MODEL_WIDTH = 26

const HEADS = [
  'TIME'.padEnd(24),
  'STATUS',
  'LATENCY'.padStart(9),
  'TOKENS'.padStart(13),
  'CLIENT'.padEnd(NAME_WIDTH),
  'ACCOUNT'.padEnd(NAME_WIDTH),
  'MODEL'.padEnd(MODEL_WIDTH),
  'ERROR'.padEnd(11),
  'ID',
]

function cells(line: AccessLine): string[] {
  const name = (text: string): string => (text === '' ? '-' : text)
  return [
    line.time,
    `${line.status}${line.truncated ? '!' : ''}`.padEnd(6),
    `${line.latencyMs} ms`.padStart(9),
    `${line.inputTokens ?? '?'}+${line.outputTokens ?? '?'}`.padStart(13),
    name(line.client).padEnd(NAME_WIDTH),
    name(line.account).padEnd(NAME_WIDTH),
    name(line.model).padEnd(MODEL_WIDTH),
    name(line.errorCode).padEnd(11),
    line.correlationId,
  ]
}

function summaryTable(sums: readonly AccessLogSummary[], by: AccessLogGrouping): string {
  const rows = sums.map((sum) => [
    sum.key === '' ? '-' : sum.key,
    String(sum.requests),
    String(sum.failures),
    String(sum.inputTokens),
    String(sum.outputTokens),
    sum.cost,
    String(sum.unpriced),
    String(sum.averageLatencyMs),
  ])
  return renderTable([by, 'requests', 'failures', 'input', 'output', 'cost USD', 'unpriced', 'average ms'], rows)
}

import { join } from 'node:path'
import { Option } from 'commander'
import type { AccessLogFilter } from '#telemetry/read-access-log.ts'
import type { AccessLogGrouping } from '#telemetry/summarize-access-log.ts'
import type { CliCommand, CommandContext } from '../cli-command.ts'
import { type OutputFlags, outputOption } from '../output.ts'
import { readStatus, readTime } from '../read-flag.ts'
import { stateDirectoryOption } from '../state-directory.ts'

interface LogsFlags extends OutputFlags {
  readonly stateDir: string
  readonly directory?: string
  readonly key?: string
  readonly namespace?: string
  readonly provider?: string
  readonly account?: string
  readonly model?: string
  readonly status?: string
  readonly id?: string
  readonly since?: number
  readonly until?: number
  readonly summary?: AccessLogGrouping | true
}

const GROUPINGS = ['client', 'provider', 'account', 'model', 'profile', 'type', 'status', 'day']

export function addLogsCommand(program: CliCommand, context: CommandContext): void {
  const command: CliCommand = program
    .command('logs')
    .description('Show or sum up the access log of a standalone gateway. It holds no prompt and no answer.')
    .addOption(stateDirectoryOption())
    .option('--directory <path>', 'folder of access logs, instead of the one in the state directory')
    .option('--key <client>', 'only requests of this GatewayClient')
    .option('-n, --namespace <name>', 'only requests of this namespace')
    .option('--provider <name>', 'only requests answered by this provider')
    .option('--account <name>', 'only requests answered by this account')
    .option('--model <name>', 'only requests answered by this model')
    .option('--status <status>', 'only this HTTP status, or a class such as 5xx', readStatus)
    .option('--id <correlation id>', 'only this request')
    .option('--since <time>', 'only requests from this day or time on', readTime)
    .option('--until <time>', 'only requests before this day or time', readTime)
    .addOption(
      new Option('--summary [by]', 'sums instead of requests, by what they have in common')
        .choices(GROUPINGS)
        .preset('account'),
    )
    .addOption(outputOption())
    .example('korproxy logs --since 2026-11-20 --status 5xx')
    .example('korproxy logs --summary client --since 2026-11-01 --until 2026-12-01')
    .example('korproxy logs --id 6f1c… -o json')
    .action((flags: LogsFlags) => showLogs(command, flags, context))
}

async function showLogs(command: CliCommand, flags: LogsFlags, { terminal }: CommandContext): Promise<void> {
  const { since, until } = flags
  if (since !== undefined && until !== undefined && since >= until)
    command.error('error: --since is not before --until: no request can be in between')
  const { printLogs } = await import('../print-logs.ts')
  await printLogs(terminal, {
    directory: flags.directory ?? join(flags.stateDir, 'access'),
    filter: filterOf(flags),
    format: flags.output,
    ...(flags.summary === undefined ? {} : { summaryBy: flags.summary === true ? 'account' : flags.summary }),
  })
}

function filterOf(flags: LogsFlags): AccessLogFilter {
  const wanted = {
    client: flags.key,
    tenant: flags.namespace,
    provider: flags.provider,
    account: flags.account,
    model: flags.model,
    status: flags.status,
    correlationId: flags.id,
    fromMs: flags.since,
    toMs: flags.until,
  }
  // What was not asked for is left out; the types of the rest are those of the filter.
  return Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined)) as AccessLogFilter
}

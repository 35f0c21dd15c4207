import { accountTable } from '../account-table.ts'
import { choosePlace, PLACE_RULE } from '../choose-place.ts'
import type { CliCommand, CommandContext } from '../cli-command.ts'
import { addClusterOptions, allNamespacesOption, type ClusterFlags } from '../cluster/cluster-options.ts'
import { addServerOptions, fetchStatus, type GatewayStatus, type ServerFlags } from '../gateway-status.ts'
import { type OutputFlags, outputOption, printResult } from '../output.ts'
import { readCount } from '../read-flag.ts'

interface StatusFlags extends ClusterFlags, ServerFlags, OutputFlags {
  readonly wait: number
  readonly verbose?: true
}

export function addStatusCommand(program: CliCommand, context: CommandContext): void {
  const command: CliCommand = program
    .command('status')
    .description(
      `Of a cluster: is what was applied live on all gateways, and if not, where is it stuck? Exit code 1: something is not live. Of a running gateway (--server): configuration, problems, accounts and their health, requests under way. ${PLACE_RULE.Gateway}`,
    )
  addServerOptions(addClusterOptions(command))
    .addOption(allNamespacesOption())
    .option('--wait <seconds>', 'how long to wait for the objects of a cluster to be live', readCount, 0)
    .option('--verbose', 'show the objects that are live too')
    .addOption(outputOption())
    .example('korproxy status')
    .example('korproxy status -n team-a --wait 30')
    .example('korproxy status --server http://gateway:1337 --token "$TOKEN" -o json')
    .action((flags: StatusFlags) => status(command, flags, context))
}

async function status(command: CliCommand, flags: StatusFlags, context: CommandContext): Promise<void> {
  const place = choosePlace(command, { environment: context.environment, otherwise: 'Gateway' })
  if (place === 'Cluster') return statusOfCluster(flags, context)
  const found = await fetchStatus(flags)
  printResult(context.terminal, flags.output, { server: flags.server, ...found }, () =>
    renderStatus(flags.server, found),
  )
}

async function statusOfCluster(flags: StatusFlags, { terminal, fail }: CommandContext): Promise<void> {
  const { withCluster } = await import('../cluster/open-cluster.ts')
  const { clusterStatus, isLive, renderClusterStatus } = await import('../cluster/cluster-status.ts')
  const found = await withCluster(flags, (cluster) => clusterStatus(cluster, flags.wait * 1_000))
  printResult(terminal, flags.output, found, () =>
    renderClusterStatus(found, flags.verbose === true ? 'All' : 'NotLive'),
  )
  if (!isLive(found)) fail()
}

function renderStatus(server: string, { version, inFlight, draining, problems, accounts }: GatewayStatus): string {
  return `Gateway         ${server}${draining ? ', draining' : ''}
Configuration   ${version ?? 'none yet'}
Under way       ${inFlight}
Problems        ${problems.length}
${problems.map(({ text }) => `  ${text}\n`).join('')}
${accounts.length === 0 ? 'No accounts.\n' : accountTable(accounts)}`
}

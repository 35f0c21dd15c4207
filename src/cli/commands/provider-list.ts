import { accountTable } from '../account-table.ts'
import { choosePlace, PLACE_RULE } from '../choose-place.ts'
import type { CliCommand, CommandContext } from '../cli-command.ts'
import { addClusterOptions, allNamespacesOption, type ClusterFlags } from '../cluster/cluster-options.ts'
import { addServerOptions, fetchStatus, type ServerFlags } from '../gateway-status.ts'
import { type OutputFlags, outputOption, printResult, renderTable } from '../output.ts'

interface ListFlags extends ClusterFlags, ServerFlags, OutputFlags {
  readonly config?: string
}

export function addProviderListCommand(provider: CliCommand, context: CommandContext): void {
  const command: CliCommand = provider
    .command('list')
    .description(
      `List the accounts of a cluster or of a running gateway (--server) with their health, or those of a folder of manifests (--config). ${PLACE_RULE.Gateway}`,
    )
    .option('--config <path>', 'folder or file of manifests to read')
  addServerOptions(addClusterOptions(command))
    .addOption(allNamespacesOption())
    .addOption(outputOption())
    .example('korproxy provider list -A')
    .example('korproxy provider list --server http://gateway:1337 --token "$TOKEN"')
    .example('korproxy provider list --config examples/quickstart -o yaml')
    .action((flags: ListFlags) => list(command, flags, context))
}

async function list(command: CliCommand, flags: ListFlags, context: CommandContext): Promise<void> {
  const { terminal, environment } = context
  const place = choosePlace(command, { environment, otherwise: 'Gateway' })
  if (place === 'Cluster') return listOfCluster(flags, context)
  if (place === 'Folder') return listOfFolder(flags, context)
  const { accounts } = await fetchStatus(flags)
  printResult(terminal, flags.output, accounts, () => accountTable(accounts))
}

async function listOfCluster(flags: ListFlags, { terminal }: CommandContext): Promise<void> {
  const { withCluster } = await import('../cluster/open-cluster.ts')
  const { listObjects } = await import('../cluster/list-objects.ts')
  const { clusterAccounts, clusterAccountTable } = await import('../cluster/cluster-accounts.ts')
  const accounts = clusterAccounts(await withCluster(flags, (cluster) => listObjects(cluster, ['ProviderAccount'])))
  printResult(terminal, flags.output, accounts, () => clusterAccountTable(accounts))
}

async function listOfFolder(flags: ListFlags, { terminal, environment }: CommandContext): Promise<void> {
  const { loadConfiguration } = await import('../load-configuration.ts')
  const { listAccounts } = await import('../list-accounts.ts')
  const namespace = flags.namespace ?? 'default'
  const accounts = listAccounts(await loadConfiguration([flags.config ?? '.'], { namespace, environment }))
  const cells = accounts.map((account) => [
    account.namespace,
    account.name,
    account.provider,
    account.state,
    account.baseURL ?? '-',
    account.problem ?? '-',
  ])
  printResult(terminal, flags.output, accounts, () =>
    renderTable(['namespace', 'account', 'provider', 'state', 'base URL', 'problem'], cells),
  )
}

import { accountTable } from '../account-table.ts'
import type { CliCommand, CommandContext } from '../cli-command.ts'
import { addServerOptions, fetchStatus, type ServerFlags } from '../gateway-status.ts'
import { namespaceOption } from '../namespace-option.ts'
import { type OutputFlags, outputOption, printResult, renderTable } from '../output.ts'

interface ListFlags extends ServerFlags, OutputFlags {
  readonly config?: string
  readonly namespace: string
}

export function addProviderListCommand(provider: CliCommand, context: CommandContext): void {
  const command = provider
    .command('list')
    .description('List the accounts of the running gateway with their health, or those of a folder of manifests.')
    .option('--config <path>', 'folder or file of manifests to read instead of asking a gateway')
    .addOption(namespaceOption())
  addServerOptions(command)
    .addOption(outputOption())
    .example('korproxy provider list')
    .example('korproxy provider list --config examples/quickstart -o yaml')
    .action((flags: ListFlags) => list(flags, context))
}

async function list(flags: ListFlags, { terminal, environment }: CommandContext): Promise<void> {
  if (flags.config === undefined) {
    const { accounts } = await fetchStatus(flags)
    return printResult(terminal, flags.output, accounts, () => accountTable(accounts))
  }
  const { loadConfiguration } = await import('../load-configuration.ts')
  const { listAccounts } = await import('../list-accounts.ts')
  const accounts = listAccounts(await loadConfiguration([flags.config], { namespace: flags.namespace, environment }))
  const cells = accounts.map(({ namespace, name, provider, state, baseURL, problem }) => [
    namespace,
    name,
    provider,
    state,
    baseURL ?? '-',
    problem ?? '-',
  ])
  printResult(terminal, flags.output, accounts, () =>
    renderTable(['namespace', 'account', 'provider', 'state', 'base URL', 'problem'], cells),
  )
}

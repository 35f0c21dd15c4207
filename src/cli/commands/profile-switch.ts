import type { CliCommand, CommandContext } from '../cli-command.ts'
import { addClusterOptions, type ClusterFlags } from '../cluster/cluster-options.ts'
import type { SwitchedProfile } from '../cluster/switch-profile.ts'
import { type OutputFlags, outputOption, printResult } from '../output.ts'
import { readCount } from '../read-flag.ts'

interface SwitchFlags extends ClusterFlags, OutputFlags {
  readonly wait: number
}

export function addProfileSwitchCommand(profile: CliCommand, context: CommandContext): void {
  const command = profile
    .command('switch')
    .description(
      'Make a RoutingProfile of a cluster the active one: sets activeProfileRef of the GatewayConfig of the namespace, and waits until the gateways have it. Exit code 1: they have it not.',
    )
    .argument('<name>', 'name of the RoutingProfile')
  addClusterOptions(command)
    .option('--wait <seconds>', 'how long to wait for the gateways; 0: not at all', readCount, 10)
    .addOption(outputOption())
    .example('korproxy profile switch weekend')
    .example('korproxy profile switch default -n team-a --wait 0')
    .action((name: string, flags: SwitchFlags) => switchTo(name, flags, context))
}

async function switchTo(name: string, flags: SwitchFlags, { terminal, fail }: CommandContext): Promise<void> {
  const { withCluster } = await import('../cluster/open-cluster.ts')
  const { switchProfile } = await import('../cluster/switch-profile.ts')
  const switched = await withCluster(flags, (cluster) => switchProfile(cluster, name, flags.wait * 1_000))
  const { config, managedBy, progress } = switched
  printResult(terminal, flags.output, switched, () => told(switched))
  if (managedBy !== undefined) {
    terminal.tell(`GatewayConfig ${config} is managed by ${managedBy}, which may set it back: change it there too.\n`)
  }
  if (progress === undefined || progress.state === 'live') return
  terminal.tell(`Not live after ${flags.wait} s: ${progress.stage ?? ''}: ${progress.message ?? ''}\n`)
  fail()
}

function told({ namespace, profile, before, config, progress }: SwitchedProfile): string {
  const from = before === profile ? 'as before' : `before: ${before}`
  const live = progress?.state === 'live' ? `, live on ${progress.gateways ?? 'all'} gateways` : ''
  return `${namespace}: ${profile} is the active profile by GatewayConfig ${config}${live} (${from}).\n`
}

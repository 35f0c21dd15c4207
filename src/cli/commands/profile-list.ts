import { choosePlace, PLACE_RULE } from '../choose-place.ts'
import type { CliCommand, CommandContext } from '../cli-command.ts'
import { addClusterOptions, allNamespacesOption, type ClusterFlags } from '../cluster/cluster-options.ts'
import type { ListedProfile } from '../cluster/profiles.ts'
import { type OutputFlags, outputOption, printResult } from '../output.ts'

interface ListFlags extends ClusterFlags, OutputFlags {
  readonly config?: string
}

export function addProfileListCommand(profile: CliCommand, context: CommandContext): void {
  const command: CliCommand = profile
    .command('list')
    .description(
      `List the RoutingProfiles of a cluster, or those of a folder of manifests (--config), and which one is active. ${PLACE_RULE.Folder}`,
    )
    .option('--config <path>', 'folder or file of manifests to read')
  addClusterOptions(command)
    .addOption(allNamespacesOption())
    .addOption(outputOption())
    .example('korproxy profile list')
    .example('korproxy profile list -A -o json')
    .example('korproxy profile list --config examples/quickstart')
    .action((flags: ListFlags) => list(command, flags, context))
}

async function list(command: CliCommand, flags: ListFlags, { terminal, environment }: CommandContext): Promise<void> {
  const { profileTable } = await import('../cluster/profiles.ts')
  const place = choosePlace(command, { environment, otherwise: 'Folder' })
  const profiles = place === 'Cluster' ? await listOfCluster(flags) : await listOfFolder(flags, environment)
  printResult(terminal, flags.output, profiles, () =>
    profiles.length === 0 ? 'No RoutingProfile: the implied one, default, is active.\n' : profileTable(profiles),
  )
}

async function listOfCluster(flags: ListFlags): Promise<ListedProfile[]> {
  const { withCluster } = await import('../cluster/open-cluster.ts')
  const { listObjects } = await import('../cluster/list-objects.ts')
  const { profilesOfCluster } = await import('../cluster/profiles.ts')
  return withCluster(flags, async (cluster) =>
    profilesOfCluster(await listObjects(cluster, ['RoutingProfile', 'GatewayConfig']), cluster.namespace),
  )
}

async function listOfFolder(flags: ListFlags, environment: CommandContext['environment']): Promise<ListedProfile[]> {
  const { loadConfiguration } = await import('../load-configuration.ts')
  const { profilesOfFolder } = await import('../cluster/profiles.ts')
  const namespace = flags.namespace ?? 'default'
  const { set, table } = await loadConfiguration([flags.config ?? '.'], { namespace, environment })
  return profilesOfFolder(set.resources, table)
}

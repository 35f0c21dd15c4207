import { writeFileSync } from 'node:fs'
import { Option } from 'commander'
import type { Problem, ResourceSet } from '#resources/resource.ts'
import { choosePlace } from '../choose-place.ts'
import type { CliCommand, CommandContext } from '../cli-command.ts'
import { addClusterOptions, allNamespacesOption, type ClusterFlags } from '../cluster/cluster-options.ts'
import { countOf, toYaml } from '../output.ts'

interface ExportFlags extends ClusterFlags {
  readonly format: 'yaml' | 'json'
  readonly output?: string
  readonly defaults?: true
  readonly withSecrets?: true
}

export function addConfigExportCommand(config: CliCommand, context: CommandContext): void {
  const command: CliCommand = config
    .command('export')
    .description(
      'Write what a cluster or a folder of manifests says in one canonical form, without status and what else the API server adds. Values of Secrets are left out. Without paths: the cluster of the current context, if this machine has a kubeconfig or is a pod; else the current folder.',
    )
    .argument('[path...]', 'folders or files; absent: the cluster')
  addClusterOptions(command)
    .addOption(allNamespacesOption())
    .addOption(new Option('-o, --format <format>', 'form of the manifests').choices(['yaml', 'json']).default('yaml'))
    .option('--output <file>', 'file to write instead of standard output')
    .option('--defaults', 'write fields out that have their default value')
    .option('--with-secrets', 'write the values of Secrets too; a file is then readable by its owner only')
    .example('korproxy config export -n team-a --output team-a.yaml')
    .example('korproxy config export examples/quickstart')
    .example('korproxy config export --defaults -o json . | jq .items')
    .example('korproxy config export --with-secrets --output backup.yaml .')
    .action((paths: string[], flags: ExportFlags) => exportConfiguration(command, paths, flags, context))
}

interface Exported {
  readonly set: ResourceSet
  readonly unread: readonly Problem[]
  /** Objects of this namespace name none. */
  readonly namespace: string
}

async function exportConfiguration(
  command: CliCommand,
  paths: readonly string[],
  flags: ExportFlags,
  { terminal, environment, fail }: CommandContext,
): Promise<void> {
  const { formatProblem } = await import('#controller/sources/format-problem.ts')
  const { exportManifests } = await import('../export-manifests.ts')
  const place = paths.length > 0 ? 'Folder' : choosePlace(command, { environment, otherwise: 'Folder' })
  const { set, unread, namespace } =
    place === 'Cluster' ? await fromCluster(flags) : await fromFolder(paths, flags, environment)
  const manifests = exportManifests(set, {
    namespace,
    defaults: flags.defaults === true ? 'WriteOut' : 'LeaveOut',
    secrets: flags.withSecrets === true ? 'WriteOut' : 'LeaveOut',
  })
  const text = flags.format === 'json' ? jsonList(manifests) : manifests.map(toYaml).join('---\n')
  if (flags.output === undefined) terminal.print(text)
  else {
    writeFileSync(flags.output, text, flags.withSecrets === true ? { mode: 0o600 } : {})
    terminal.tell(`${flags.output}: ${countOf(manifests.length, 'object')}\n`)
  }
  if (flags.withSecrets !== true && set.secrets.length > 0) {
    terminal.tell(`${countOf(set.secrets.length, 'Secret')} left out; --with-secrets writes them too\n`)
  }
  // An object that could not be read is missing in the export: whoever relies on it must know.
  for (const problem of unread) terminal.tell(`${formatProblem(problem)}\n`)
  if (unread.length > 0) fail()
}

async function fromFolder(
  paths: readonly string[],
  { namespace = 'default' }: ExportFlags,
  environment: CommandContext['environment'],
): Promise<Exported> {
  const { loadConfiguration } = await import('../load-configuration.ts')
  const loaded = await loadConfiguration(paths.length === 0 ? ['.'] : paths, { namespace, environment })
  return { ...loaded, namespace }
}

async function fromCluster(flags: ExportFlags): Promise<Exported> {
  const { withCluster } = await import('../cluster/open-cluster.ts')
  const { exportedSet } = await import('../cluster/exported-set.ts')
  return withCluster(flags, (cluster) => exportedSet(cluster, flags.withSecrets === true ? 'Read' : 'LeaveOut'))
}

/** As kubectl writes several objects. */
function jsonList(items: readonly unknown[]): string {
  return `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, null, 2)}\n`
}

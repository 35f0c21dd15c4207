import { writeFileSync } from 'node:fs'
import { Option } from 'commander'
import type { CliCommand, CommandContext } from '../cli-command.ts'
import { namespaceOption } from '../namespace-option.ts'
import { countOf, toYaml } from '../output.ts'

interface ExportFlags {
  readonly namespace: string
  readonly format: 'yaml' | 'json'
  readonly output?: string
  readonly defaults?: true
  readonly withSecrets?: true
}

export function addConfigExportCommand(config: CliCommand, context: CommandContext): void {
  config
    .command('export')
    .description('Write what a folder of manifests says in one canonical form. Values of Secrets are left out.')
    .argument('[path...]', 'folders or files', ['.'])
    .addOption(namespaceOption())
    .addOption(new Option('-o, --format <format>', 'form of the manifests').choices(['yaml', 'json']).default('yaml'))
    .option('--output <file>', 'file to write instead of standard output')
    .option('--defaults', 'write fields out that have their default value')
    .option('--with-secrets', 'write the values of Secrets too; a file is then readable by its owner only')
    .example('korproxy config export examples/quickstart')
    .example('korproxy config export --defaults -o json . | jq .items')
    .example('korproxy config export --with-secrets --output backup.yaml .')
    .action((paths: string[], flags: ExportFlags) => exportConfiguration(paths, flags, context))
}

async function exportConfiguration(
  paths: readonly string[],
  flags: ExportFlags,
  { terminal, environment, fail }: CommandContext,
): Promise<void> {
  const { loadConfiguration } = await import('../load-configuration.ts')
  const { formatProblem } = await import('#controller/sources/format-problem.ts')
  const { exportManifests } = await import('../export-manifests.ts')
  const { set, unread } = await loadConfiguration(paths, { namespace: flags.namespace, environment })
  const manifests = exportManifests(set, {
    namespace: flags.namespace,
    defaults: flags.defaults === true ? 'WriteOut' : 'LeaveOut',
    secrets: flags.withSecrets === true ? 'Reveal' : 'Redact',
  })
  const text = flags.format === 'json' ? jsonList(manifests) : manifests.map(toYaml).join('---\n')
  if (flags.output === undefined) terminal.print(text)
  else {
    writeFileSync(flags.output, text, flags.withSecrets === true ? { mode: 0o600 } : {})
    terminal.tell(`${flags.output}: ${countOf(manifests.length, 'object')}\n`)
  }
  // An object that could not be read is missing in the export: whoever relies on it must know.
  for (const problem of unread) terminal.tell(`${formatProblem(problem)}\n`)
  if (unread.length > 0) fail()
}

/** As kubectl writes several objects. */
function jsonList(items: readonly unknown[]): string {
  return `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, null, 2)}\n`
}

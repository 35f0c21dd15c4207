import { Option } from 'commander'
import type { CliCommand, CommandContext } from '../cli-command.ts'
import type { ImportFormat } from '../import/import-configuration.ts'
import type { KeyPlace } from '../import/litellm-accounts.ts'
import { namespaceOption } from '../namespace-option.ts'
import { countOf } from '../output.ts'

interface ImportFlags {
  readonly from?: ImportFormat
  readonly output: string
  readonly keys: KeyPlace
  readonly merge?: true
  readonly strict?: true
  readonly namespace: string
}

export function addConfigImportCommand(config: CliCommand, context: CommandContext): void {
  const command: CliCommand = config
    .command('import')
    .description(
      'Make manifests from a config.json of the desktop program or a config.yaml of LiteLLM. What has no counterpart is told as KP-CONF-217.',
    )
    .argument('<file>', 'file to import')
    .addOption(
      new Option('--from <program>', 'what the file is of; absent: as it looks').choices(['desktop', 'litellm']),
    )
    .option('--output <folder>', 'folder to write imported.yaml into; - is standard output', '-')
    .addOption(
      new Option(
        '--keys <place>',
        'where accounts of LiteLLM find keys that stand in environment variables; a cluster needs `secret`',
      )
        .choices(['environment', 'secret'])
        .default('environment'),
    )
    .option('--merge', 'write into a folder that has manifests; objects that it has stay as they are')
    .option('--strict', 'fail, and write nothing, when a part has no counterpart')
    .addOption(namespaceOption())
    .example('korproxy config import ~/.korproxy/config.json')
    .example('korproxy config import --from litellm config.yaml --output manifests')
    .example('korproxy config import config.yaml --keys secret --output manifests')
    .example('korproxy config import config.json --output manifests --merge')
    .action((file: string, flags: ImportFlags) => importFile(command, file, flags, context))
}

async function importFile(
  command: CliCommand,
  file: string,
  flags: ImportFlags,
  { terminal, environment, fail }: CommandContext,
): Promise<void> {
  const { importInto } = await import('../import-into.ts')
  const { renderManifests } = await import('../render-manifests.ts')
  const plan = await importInto(file, {
    environment,
    namespace: flags.namespace,
    keys: flags.keys,
    ...(flags.from === undefined ? {} : { from: flags.from }),
    ...(flags.output === '-' ? {} : { folder: flags.output }),
  })
  if (plan.present > 0 && flags.merge !== true) {
    command.error(`error: ${flags.output} has manifests already; --merge adds to them`)
  }
  for (const note of plan.notes) terminal.tell(`${note}\n`)
  if (flags.strict === true && plan.notes.length > 0) {
    terminal.tell(`${file}: ${countOf(plan.notes.length, 'note')}; nothing was written, as --strict asks\n`)
    return fail()
  }
  const text = renderManifests(plan.objects)
  if (plan.path === undefined) return terminal.print(text)
  if (plan.objects.length === 0)
    return terminal.print(`${flags.output}: everything is there already; nothing was written\n`)
  plan.write(text)
  terminal.print(`${plan.path}: ${countOf(plan.objects.length, 'object')}, ${countOf(plan.notes.length, 'note')}\n`)
}

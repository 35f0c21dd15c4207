import type { Problem } from '#resources/resource.ts'
import type { CliCommand, CommandContext } from '../cli-command.ts'
import { addClusterOptions, type ClusterFlags } from '../cluster/cluster-options.ts'
import type { Configuration } from '../load-configuration.ts'
import { countOf, type OutputFlags, outputOption, printResult } from '../output.ts'

interface ValidateFlags extends ClusterFlags, OutputFlags {
  readonly server?: true
  readonly strict?: true
}

export function addConfigValidateCommand(config: CliCommand, context: CommandContext): void {
  const command = config
    .command('validate')
    .description(
      'Check manifests with the code that serves them. With --server also with the API server of a cluster, and together with the objects that are there; nothing is changed. Exit code 1: an error was found.',
    )
    .argument('[path...]', 'folders or files', ['.'])
    .option('--server', 'ask the API server too (server-side apply, dry run); Secrets are not sent')
  addClusterOptions(command)
    .option('--strict', 'warnings fail too')
    .addOption(outputOption())
    .example('korproxy config validate examples/quickstart')
    .example('korproxy config validate --strict base.yaml production.yaml')
    .example('korproxy config validate --server -n team-a routing/')
    .example('korproxy config validate -o json . | jq .problems')
    .action((paths: string[], flags: ValidateFlags) => validate(command, paths, flags, context))
}

async function validate(
  command: CliCommand,
  paths: readonly string[],
  flags: ValidateFlags,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context
  const { validationReport } = await import('../validation-report.ts')
  const { set, problems } = await judge(command, paths, flags, context)
  const report = validationReport(set, problems)
  const valid = report.errors === 0 && !(flags.strict === true && report.warnings > 0)
  printResult(terminal, flags.output, { valid, ...report, lines: undefined }, () => report.lines.join(''))
  if (!valid) context.fail()
  if (flags.output !== 'table') return
  const verdict = valid ? 'valid' : 'not valid'
  const found = problems.length === 0 ? report.objects : faultsOf(report)
  const summary = `${paths.join(', ')}: ${verdict}: ${found}\n`
  if (problems.length === 0) terminal.print(summary)
  else terminal.tell(summary)
  if (flags.server !== true) for (const hint of credentialHints(problems)) terminal.tell(hint)
}

/** How manifests are checked where their credentials are not, such as in CI. */
function credentialHints(problems: readonly Problem[]): readonly string[] {
  const paths = problems.filter(({ code }) => code === 'KP-CONF-206').map(({ path }) => path)
  return [
    ...(paths.includes('spec.auth.valueFrom') ? [EXTERNAL_HINT] : []),
    ...(paths.some((path) => path !== 'spec.auth.valueFrom') ? [SECRET_HINT] : []),
  ]
}

const EXTERNAL_HINT =
  'Credentials need not be real for this check: any value of the variable or file will do, as in `NAME=any korproxy config validate`.\n'
const SECRET_HINT =
  'Secrets need not be real for this check: --server looks for those of a cluster, and a manifest of one with any value may stand in for it.\n'

function faultsOf({ errors, warnings }: { readonly errors: number; readonly warnings: number }): string {
  return `${countOf(errors, 'error')}, ${countOf(warnings, 'warning')}`
}

async function judge(
  command: CliCommand,
  paths: readonly string[],
  flags: ValidateFlags,
  { terminal, environment }: CommandContext,
): Promise<Configuration> {
  if (flags.server !== true) {
    if (flags.context !== undefined || flags.kubeconfig !== undefined) {
      command.error('error: --context and --kubeconfig are for --server')
    }
    const { loadConfiguration } = await import('../load-configuration.ts')
    return loadConfiguration(paths, { namespace: flags.namespace ?? 'default', environment })
  }
  const { withCluster } = await import('../cluster/open-cluster.ts')
  const { checkOnServer } = await import('../cluster/server-check.ts')
  const { configuration, unseenSecrets } = await withCluster(flags, (cluster) => checkOnServer(cluster, paths))
  if (unseenSecrets.length > 0) {
    terminal.tell(`You may not read these Secrets, so they count as there: ${unseenSecrets.join(', ')}\n`)
  }
  return configuration
}

import type { CliCommand, CommandContext } from '../cli-command.ts'
import { namespaceOption } from '../namespace-option.ts'
import { countOf, type OutputFlags, outputOption, printResult } from '../output.ts'

interface ValidateFlags extends OutputFlags {
  readonly namespace: string
  readonly strict?: true
}

export function addConfigValidateCommand(config: CliCommand, context: CommandContext): void {
  config
    .command('validate')
    .description('Check manifests with the code that serves them. Exit code 1: an error was found.')
    .argument('[path...]', 'folders or files', ['.'])
    .addOption(namespaceOption())
    .option('--strict', 'warnings fail too')
    .addOption(outputOption())
    .example('korproxy config validate examples/quickstart')
    .example('korproxy config validate --strict base.yaml production.yaml')
    .example('korproxy config validate -o json . | jq .problems')
    .action((paths: string[], flags: ValidateFlags) => validate(paths, flags, context))
}

async function validate(paths: readonly string[], flags: ValidateFlags, context: CommandContext): Promise<void> {
  const { terminal, environment } = context
  const { loadConfiguration } = await import('../load-configuration.ts')
  const { validationReport } = await import('../validation-report.ts')
  const { set, problems } = await loadConfiguration(paths, { namespace: flags.namespace, environment })
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
}

function faultsOf({ errors, warnings }: { readonly errors: number; readonly warnings: number }): string {
  return `${countOf(errors, 'error')}, ${countOf(warnings, 'warning')}`
}

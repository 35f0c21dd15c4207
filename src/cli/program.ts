import { CliCommand, type CommandContext } from './cli-command.ts'
import { addCompletionCommand } from './commands/completion.ts'
import { addConfigExportCommand } from './commands/config-export.ts'
import { addConfigImportCommand } from './commands/config-import.ts'
import { addConfigValidateCommand } from './commands/config-validate.ts'
import { addControllerCommand } from './commands/controller.ts'
import { addExplainCommand } from './commands/explain.ts'
import { addGatewayCommand } from './commands/gateway.ts'
import { addLogsCommand } from './commands/logs.ts'
import { addMockProviderCommand } from './commands/mock-provider.ts'
import { addProfileListCommand } from './commands/profile-list.ts'
import { addProfileSwitchCommand } from './commands/profile-switch.ts'
import { addProviderListCommand } from './commands/provider-list.ts'
import { addProviderTestCommand } from './commands/provider-test.ts'
import { addSelfTestCommand } from './commands/self-test.ts'
import { addStatusCommand } from './commands/status.ts'
import { addVersionCommand } from './commands/version.ts'
import { addServeCommand } from './serve.ts'
import { VERSION } from './version.ts'

/** The whole command line. Nothing is loaded or done before a command runs. */
export function createProgram(context: CommandContext): CliCommand {
  const program = new CliCommand(context.program)
    .description('The AI gateway of Kubernetes.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .exitOverride()
    .enablePositionalOptions()
    .configureOutput({
      writeOut: (text) => context.terminal.print(text),
      writeErr: (text) => context.terminal.tell(text),
    })
    .showHelpAfterError('Run it with --help for its options.')
    .addHelpText('after', EXIT_CODES)
  addServeCommand(program, context)
  addControllerCommand(program, context)
  addGatewayCommand(program, context)
  addMockProviderCommand(program, context)
  const config = program.command('config').description('Check, import and export configuration.')
  addConfigValidateCommand(config, context)
  addConfigImportCommand(config, context)
  addConfigExportCommand(config, context)
  addExplainCommand(program, context)
  const provider = program.command('provider').description('Look at provider accounts.')
  addProviderListCommand(provider, context)
  addProviderTestCommand(provider, context)
  const profile = program.command('profile').description('Look at routing profiles, and switch to another one.')
  addProfileListCommand(profile, context)
  addProfileSwitchCommand(profile, context)
  addSelfTestCommand(program, context)
  addStatusCommand(program, context)
  addLogsCommand(program, context)
  addCompletionCommand(program, context)
  addVersionCommand(program, context)
  return program
}

const EXIT_CODES = `
Exit codes: 0 it is done; 1 it failed, or found faults; 2 the command line is wrong.
Environment: KORPROXY_SERVER and KORPROXY_TOKEN stand for --server and --token; NO_COLOR switches colours off.
`

import { Argument } from 'commander'
import type { CliCommand, CommandContext } from '../cli-command.ts'
import { completionScript, type Shell } from '../completion-script.ts'

export function addCompletionCommand(program: CliCommand, { terminal }: CommandContext): void {
  program
    .command('completion')
    .description('Print a script that makes a shell complete commands and options.')
    .addArgument(new Argument('<shell>', 'shell to write for').choices(['bash', 'zsh', 'fish']))
    .example('source <(korproxy completion bash)')
    .example('korproxy completion zsh > ~/.zsh/completions/_korproxy')
    .example('korproxy completion fish > ~/.config/fish/completions/korproxy.fish')
    .action((shell: Shell) => terminal.print(completionScript(shell, program)))
}

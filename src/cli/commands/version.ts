import type { CliCommand, CommandContext } from '../cli-command.ts'
import { type OutputFlags, outputOption, printResult } from '../output.ts'
import { VERSION } from '../version.ts'

export function addVersionCommand(program: CliCommand, { terminal }: CommandContext): void {
  program
    .command('version')
    .description('Print the version of this program and of what it runs on.')
    .addOption(outputOption())
    .example('korproxy version')
    .example('korproxy version -o json | jq -r .version')
    .action(({ output }: OutputFlags) => {
      const facts = { version: VERSION, node: process.version, platform: `${process.platform}/${process.arch}` }
      printResult(terminal, output, facts, () => `korproxy ${VERSION} (Node.js ${facts.node}, ${facts.platform})\n`)
    })
}

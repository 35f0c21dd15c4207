import { accountTable } from '../account-table.ts'
import type { CliCommand, CommandContext } from '../cli-command.ts'
import { addServerOptions, fetchStatus, type GatewayStatus, type ServerFlags } from '../gateway-status.ts'
import { type OutputFlags, outputOption, printResult } from '../output.ts'

export function addStatusCommand(program: CliCommand, context: CommandContext): void {
  const command = program
    .command('status')
    .description('Show the running gateway: configuration, problems, accounts and their health, requests under way.')
  addServerOptions(command)
    .addOption(outputOption())
    .example('korproxy status')
    .example('korproxy status --server http://gateway:1337 --token "$TOKEN" -o json')
    .action((flags: ServerFlags & OutputFlags) => status(flags, context))
}

async function status(flags: ServerFlags & OutputFlags, { terminal }: CommandContext): Promise<void> {
  const found = await fetchStatus(flags)
  printResult(terminal, flags.output, { server: flags.server, ...found }, () => renderStatus(flags.server, found))
}

function renderStatus(server: string, { version, inFlight, draining, problems, accounts }: GatewayStatus): string {
  return `Gateway         ${server}${draining ? ', draining' : ''}
Configuration   ${version ?? 'none yet'}
Under way       ${inFlight}
Problems        ${problems.length}
${problems.map(({ text }) => `  ${text}\n`).join('')}
${accounts.length === 0 ? 'No accounts.\n' : accountTable(accounts)}`
}

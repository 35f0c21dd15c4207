import { CommanderError } from 'commander'
import type { CommandContext } from './cli-command.ts'
import { createProgram } from './program.ts'
import { reportError } from './report-error.ts'
import { processTerminal } from './terminal.ts'

type MainOptions = Partial<Pick<CommandContext, 'terminal' | 'environment' | 'program' | 'listening'>>

/** Exit codes: 0 done, 1 it failed or found faults, 2 the command line is wrong. */
export async function main(args: readonly string[], options: MainOptions = {}): Promise<number> {
  const environment = options.environment ?? process.env
  const terminal = options.terminal ?? processTerminal(environment)
  let exitCode = 0
  const fail = (): void => {
    exitCode = 1
  }
  try {
    const context = { ...options, terminal, environment, program: options.program ?? 'korproxy', fail } as const
    await createProgram(context).parseAsync([...args], { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    reportError(terminal, error)
    return 1
  }
}

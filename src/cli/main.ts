import { Command, CommanderError } from 'commander'
import { KorProxyError } from '#errors/korproxy-error.ts'
import { addServeCommand } from './serve.ts'
import { VERSION } from './version.ts'

/** Exit codes: 0 done, 1 it failed or found faults, 2 the command line is wrong. */
export async function main(args: readonly string[]): Promise<number> {
  const program = new Command('korproxy')
  program.description('The AI gateway of Kubernetes.').version(VERSION, '-V, --version').exitOverride()
  program.enablePositionalOptions()
  addServeCommand(program)
  try {
    await program.parseAsync([...args], { from: 'user' })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    const text = error instanceof KorProxyError ? `${error.code} ${error.message}` : String(error)
    console.error(`korproxy: ${text}`)
    return 1
  }
}

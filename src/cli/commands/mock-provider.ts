import type { CliCommand, CommandContext } from '../cli-command.ts'
import { readCount, readPort } from '../read-flag.ts'
import { stopSignal } from '../stop-signal.ts'
import { setFlagsForServing } from '../v8-flags.ts'

interface MockFlags {
  readonly port: number
  readonly host: string
  readonly chunks?: number
  readonly gap?: number
}

export function addMockProviderCommand(program: CliCommand, context: CommandContext): void {
  program
    .command('mock-provider')
    .description('Run the provider simulator: every format, no network, failures on demand.')
    .option('--port <number>', 'port to listen on; 0 takes a free one', readPort, 1340)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--chunks <n>', 'pieces of text in every answer', readCount)
    .option('--gap <ms>', 'pause between two events of a stream', readCount)
    .example('korproxy mock-provider')
    .example('korproxy mock-provider --port 0 --chunks 50 --gap 20')
    .action((flags: MockFlags) => mockProvider(flags, context))
}

async function mockProvider(flags: MockFlags, { terminal }: CommandContext): Promise<void> {
  const { startSimulator } = await import('#simulator/simulator.ts')
  const simulator = await startSimulator({
    port: flags.port,
    host: flags.host,
    chunks: flags.chunks,
    gapMs: flags.gap,
  })
  terminal.print(`The simulator listens on ${simulator.url}\n`)
  setFlagsForServing()
  await stopSignal()
  await simulator.close()
}

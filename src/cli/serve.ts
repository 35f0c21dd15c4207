import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { createLogger } from '#telemetry/log.ts'
import { discoverAccounts } from './discover-accounts.ts'
import { managementToken } from './management-token.ts'
import { startStandalone } from './standalone.ts'

interface ServeFlags {
  readonly config: string
  readonly port: number
  readonly host: string
  readonly namespace: string
  readonly stateDir: string
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
  readonly drain: number
  readonly discover?: true
  readonly mockProvider?: number | true
}

export const DEFAULT_STATE_DIRECTORY = join(homedir(), '.local', 'state', 'korproxy')
export const MOCK_PORT = 1340

export function addServeCommand(program: Command): void {
  program
    .command('serve')
    .description('Run KorProxy in one process, from a folder of manifests.')
    .requiredOption('--config <path>', 'folder (or file) of manifests', '.')
    .option('--port <number>', 'port of the gateway', readPort, 1337)
    .option('--host <address>', 'address to listen on; without any GatewayClient only loopback is allowed', '127.0.0.1')
    .option('--namespace <name>', 'namespace of objects that name none, and of requests without a key', 'default')
    .option('--state-dir <path>', 'folder for what survives a restart', DEFAULT_STATE_DIRECTORY)
    .option('--log-level <level>', 'debug, info, warn or error', 'info')
    .option('--drain <seconds>', 'how long requests under way may go on after SIGTERM', Number, 30)
    .option('--discover', 'add accounts for OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY … and a local Ollama')
    .option('--mock-provider [port]', 'run the provider simulator beside the gateway', readPort)
    .addHelpText(
      'after',
      '\nExamples:\n  korproxy serve --config examples/quickstart --mock-provider\n  korproxy serve --config /etc/korproxy --port 8080\n',
    )
    .action(serve)
}

async function serve(flags: ServeFlags): Promise<void> {
  const log = createLogger({ level: flags.logLevel })
  const simulator = flags.mockProvider === undefined ? undefined : await startMockProvider(flags.mockProvider)
  const extra = flags.discover === true ? await discoverAccounts(process.env, flags.namespace) : undefined
  const standalone = await startStandalone({
    config: flags.config,
    namespace: flags.namespace,
    host: flags.host,
    port: flags.port,
    stateDirectory: flags.stateDir,
    managementToken: managementToken(flags.stateDir),
    environment: process.env,
    log: log.component('gateway'),
    ...(extra === undefined ? {} : { extra }),
  })
  log.component('cli').info({ url: standalone.url, discovered: extra?.resources.length ?? 0 }, 'listening')
  await stopSignal()
  await standalone.drain(flags.drain * 1000)
  await simulator?.close()
}

/** Loaded on demand: a gateway in production has no use for it. */
async function startMockProvider(port: number | true): Promise<{ close(): Promise<void> }> {
  const { startSimulator } = await import('#simulator/simulator.ts')
  return startSimulator({ port: port === true ? MOCK_PORT : port })
}

/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(1))
        resolve()
      })
    }
  })
}

function readPort(text: string): number {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`${text} is not a port`)
  return port
}

import type { ResourceSet } from '#resources/resource.ts'
import type { ComponentLoggers } from '#telemetry/log.ts'
import type { CliCommand, CommandContext } from './cli-command.ts'
import { type ChosenLogLevel, logLevelOption } from './log-level.ts'
import { managementToken, managementTokenPath } from './management-token.ts'
import { readCount, readPort } from './read-flag.ts'
import { reportError } from './report-error.ts'
import type { Standalone } from './standalone.ts'
import { stateDirectoryOption } from './state-directory.ts'
import { stopSignal, uncaughtFault } from './stop-signal.ts'
import type { Terminal } from './terminal.ts'
import { setFlagsForServing } from './v8-flags.ts'

interface ServeFlags {
  readonly config: string
  readonly port: number
  readonly host: string
  readonly namespace: string
  readonly stateDir: string
  readonly logLevel: ChosenLogLevel
  readonly drain: number
  readonly discover?: true
  readonly mockProvider?: number | true
}

interface Started {
  readonly log: ComponentLoggers
  readonly standalone: Standalone
  readonly simulator: { close(): Promise<void> } | undefined
}

const MOCK_PORT = 1340

export function addServeCommand(program: CliCommand, context: CommandContext): void {
  program
    .command('serve')
    .description('Run KorProxy in one process, from a folder of manifests.')
    .requiredOption('--config <path>', 'folder (or file) of manifests', '.')
    .option('--port <number>', 'port of the gateway', readPort, 1337)
    .option('--host <address>', 'address to listen on; without any GatewayClient only loopback is allowed', '127.0.0.1')
    .option('--namespace <name>', 'namespace of objects that name none, and of requests without a key', 'default')
    .addOption(stateDirectoryOption())
    .addOption(logLevelOption())
    .option('--drain <seconds>', 'how long requests under way may go on after SIGTERM', readCount, 30)
    .option('--discover', 'add accounts for OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY … and a local Ollama')
    .option('--mock-provider [port]', 'run the provider simulator beside the gateway', readPort)
    .example('korproxy serve --config examples/quickstart --mock-provider')
    .example('korproxy serve --config /etc/korproxy --port 8080')
    .action((flags: ServeFlags) => serve(flags, context))
}

/** Everything that serves is loaded here, so that no other command waits for it. */
async function serve(flags: ServeFlags, context: CommandContext): Promise<void> {
  const { log, standalone, simulator } = await start(flags, context)
  setFlagsForServing()
  const fault = uncaughtFault((error) => log.component('cli').error({ err: error }, 'uncaught error; draining'))
  await Promise.race([stopSignal(), fault])
  await standalone.drain(flags.drain * 1000)
  await simulator?.close()
}

async function start(flags: ServeFlags, { terminal, listening }: CommandContext): Promise<Started> {
  const [{ startStandalone }, { createLogger }] = await Promise.all([
    import('./standalone.ts'),
    import('#telemetry/log.ts'),
  ])
  const log = createLogger({ level: flags.logLevel })
  const simulator = flags.mockProvider === undefined ? undefined : await startMockProvider(flags.mockProvider)
  const extra = flags.discover === true ? await discover(flags.namespace) : undefined
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
  }).catch((error: unknown) => endProcess(terminal, error))
  log.component('cli').info({ url: standalone.url, discovered: extra?.resources.length ?? 0 }, 'listening')
  listening?.({ url: standalone.url, managementTokenPath: managementTokenPath(flags.stateDir) })
  return { log, standalone, simulator }
}

/** What a start that failed half-way has opened, such as watched folders, must not keep the process. */
function endProcess(terminal: Terminal, error: unknown): never {
  reportError(terminal, error)
  process.exit(1)
}

async function discover(namespace: string): Promise<ResourceSet> {
  const { discoverAccounts } = await import('./discover-accounts.ts')
  return discoverAccounts(process.env, namespace)
}

/** Loaded on demand: a gateway in production has no use for it. */
async function startMockProvider(port: number | true): Promise<{ close(): Promise<void> }> {
  const { startSimulator } = await import('#simulator/simulator.ts')
  return startSimulator({ port: port === true ? MOCK_PORT : port })
}

import { Option } from 'commander'
import type { CliCommand, CommandContext } from '../cli-command.ts'
import { type ChosenLogLevel, logLevelOption } from '../log-level.ts'
import { readAddress, readCount, readPort } from '../read-flag.ts'
import { stopSignal, uncaughtFault } from '../stop-signal.ts'
import { setFlagsForServing } from '../v8-flags.ts'

interface GatewayFlags {
  readonly controller: string
  readonly name: string
  readonly namespace: string
  readonly host: string
  readonly port: number
  readonly statusPort: number
  readonly tokenFile: string
  readonly caFile: string
  readonly tableDir?: string
  readonly lastGood?: string
  readonly drain: number
  readonly privateAddresses: 'Allow' | 'Deny'
  readonly accessLog: boolean
  readonly logLevel: ChosenLogLevel
}

export function addGatewayCommand(program: CliCommand, { environment }: CommandContext): void {
  program
    .command('gateway')
    .description('Run a gateway of a cluster: it gets its tables from a controller.')
    .requiredOption(
      '--controller <url>',
      'where the controllers are, e.g. https://korproxy-controller.korproxy.svc:8443',
      readAddress,
    )
    .option('--name <pod>', 'name of this pod; POD_NAME by default', environment['POD_NAME'] ?? '')
    .option(
      '--namespace <name>',
      'namespace that serves requests without a client key; POD_NAMESPACE by default',
      environment['POD_NAMESPACE'] ?? 'default',
    )
    .option('--host <address>', 'address to listen on', '0.0.0.0')
    .option('--port <number>', 'port for requests', readPort, 1337)
    .option('--status-port <number>', 'port for probes and metrics', readPort, 8080)
    .option('--token-file <path>', 'token of this pod for the controller', '/var/run/secrets/korproxy/token')
    .option('--ca-file <path>', 'authorities of the controller', '/etc/korproxy/controller-ca/ca.crt')
    .option('--table-dir <path>', 'folder in memory that keeps the table for the next start of the container')
    .option('--last-good <path>', 'folder where the Secret with the last good table may be mounted')
    .option('--drain <seconds>', 'how long requests under way may go on after SIGTERM', readCount, 300)
    .addOption(
      new Option('--private-addresses <policy>', 'whether accounts may be at private addresses')
        .choices(['Allow', 'Deny'])
        .default('Allow'),
    )
    .option('--no-access-log', 'do not write a line for each request to standard output')
    .addOption(logLevelOption())
    .example('korproxy gateway --controller https://korproxy-controller.korproxy.svc:8443')
    .action(runGateway)
}

/** Loaded on demand: no other command waits for it. */
async function runGateway(flags: GatewayFlags): Promise<void> {
  const [{ startGatewayRole }, { createLogger }, { AccessLog }] = await Promise.all([
    import('../gateway-role.ts'),
    import('#telemetry/log.ts'),
    import('#telemetry/access-log.ts'),
  ])
  const loggers = createLogger({ level: flags.logLevel })
  const role = await startGatewayRole({
    name: flags.name,
    namespace: flags.namespace,
    host: flags.host,
    port: flags.port,
    statusPort: flags.statusPort,
    controllerUrl: flags.controller,
    tokenPath: flags.tokenFile,
    authorityPath: flags.caFile,
    ...(flags.tableDir !== undefined && { tableDirectory: flags.tableDir }),
    ...(flags.lastGood !== undefined && { lastGoodDirectory: flags.lastGood }),
    privateAddresses: flags.privateAddresses,
    loggers,
    ...(flags.accessLog && { accessLog: new AccessLog({ log: loggers.component('access-log') }) }),
  })
  loggers.component('cli').info({ url: role.url, statusPort: role.statusPort }, 'listening')
  setFlagsForServing()
  const fault = uncaughtFault((error) => loggers.component('cli').error({ err: error }, 'uncaught error; draining'))
  await Promise.race([stopSignal(), fault])
  loggers.component('cli').info({ seconds: flags.drain }, 'draining')
  await role.drain(flags.drain * 1_000)
}

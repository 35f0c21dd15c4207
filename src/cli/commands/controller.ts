import type { CliCommand, CommandContext } from '../cli-command.ts'
import { type ChosenLogLevel, logLevelOption } from '../log-level.ts'
import { readPort } from '../read-flag.ts'
import { stopSignal } from '../stop-signal.ts'
import { setFlagsForServing } from '../v8-flags.ts'

interface ControllerFlags {
  readonly name: string
  readonly podIp: string
  readonly namespace: string
  readonly namespaces?: string
  readonly host: string
  readonly port: number
  readonly statusPort: number
  readonly service: string
  readonly gatewayServiceAccount: string
  readonly gatewayService: string
  readonly lease: string
  readonly caSecret: string
  readonly caConfigMap: string
  readonly lastGoodSecret: string
  readonly tlsDir?: string
  readonly kubeconfig?: string
  readonly logLevel: ChosenLogLevel
}

export function addControllerCommand(program: CliCommand, { environment }: CommandContext): void {
  const own = environment['POD_NAMESPACE'] ?? 'default'
  program
    .command('controller')
    .description('Run a controller of a cluster: it turns resources into tables, and gives them to the gateways.')
    .option('--name <pod>', 'name of this pod; POD_NAME by default', environment['POD_NAME'] ?? 'controller')
    .option('--pod-ip <address>', 'address of this pod; POD_IP by default', environment['POD_IP'] ?? '127.0.0.1')
    .option('--namespace <name>', 'namespace of this pod; POD_NAMESPACE by default', own)
    .option('--namespaces <names>', 'namespaces to serve, with commas between them; all by default')
    .option('--host <address>', 'address to listen on', '0.0.0.0')
    .option('--port <number>', 'port for gateways, TLS', readPort, 8443)
    .option('--status-port <number>', 'port for probes and metrics', readPort, 8080)
    .option('--service <name>', 'Service of the controllers', 'korproxy-controller')
    .option('--gateway-service-account <name>', 'ServiceAccount of the gateways', 'korproxy-gateway')
    .option('--gateway-service <name>', 'Service of the gateways: status counts its pods', 'korproxy-gateway')
    .option('--lease <name>', 'Lease that makes one of the controllers the leader', 'korproxy-controller')
    .option('--ca-secret <name>', 'Secret of the own certificate authority', 'korproxy-controller-ca')
    .option('--ca-config-map <name>', 'ConfigMap that gateways get its certificates from', 'korproxy-controller-ca')
    .option('--tls-dir <path>', 'folder with tls.crt, tls.key and ca.crt, in place of an own authority')
    .option('--last-good-secret <name>', 'Secret that keeps the last good table', 'korproxy-controller-last-good')
    .option('--kubeconfig <path>', 'kubeconfig file; the ServiceAccount of the pod by default')
    .addOption(logLevelOption())
    .example('korproxy controller --namespaces team-a,team-b')
    .action(runController)
}

/** Loaded on demand: the Kubernetes client takes half a second. */
async function runController(flags: ControllerFlags): Promise<void> {
  const [{ createControllerRole }, { createLogger }] = await Promise.all([
    import('../controller-role.ts'),
    import('#telemetry/log.ts'),
  ])
  const loggers = createLogger({ level: flags.logLevel })
  const stopped = stopSignal()
  const role = createControllerRole({
    name: flags.name,
    podIp: flags.podIp,
    namespace: flags.namespace,
    ...(flags.namespaces !== undefined && { watchNamespaces: flags.namespaces.split(',') }),
    host: flags.host,
    port: flags.port,
    statusPort: flags.statusPort,
    service: flags.service,
    gatewayServiceAccount: flags.gatewayServiceAccount,
    gatewayService: flags.gatewayService,
    lease: flags.lease,
    lastGoodSecret: flags.lastGoodSecret,
    tls:
      flags.tlsDir === undefined
        ? { kind: 'OwnAuthority', secret: flags.caSecret, configMap: flags.caConfigMap }
        : { kind: 'Files', directory: flags.tlsDir },
    ...(flags.kubeconfig !== undefined && { kubeconfigPath: flags.kubeconfig }),
    loggers,
  })
  // A cluster that cannot be reached must not keep the process from ending.
  const started = role.start()
  const outcome = await Promise.race([started.then(() => 'Serving'), stopped])
  if (outcome === 'Serving')
    loggers.component('cli').info({ port: role.port, statusPort: role.statusPort }, 'listening')
  setFlagsForServing()
  await stopped
  await role.drain()
}

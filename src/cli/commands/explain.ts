import { Option } from 'commander'
import { KorProxyError } from '#errors/korproxy-error.ts'
import { ERRORS } from '#errors/registry.ts'
import type { SavedHealth } from '#gateway/account-registry.ts'
import { suggestion } from '#resources/suggest.ts'
import type { Client, RequestType, RoutingTable } from '#table/routing-table.ts'
import { choosePlace, PLACE_RULE } from '../choose-place.ts'
import type { CliCommand, CommandContext } from '../cli-command.ts'
import { addClusterOptions, type ClusterFlags } from '../cluster/cluster-options.ts'
import { codePage, isErrorCode } from '../explain-code.ts'
import { type OutputFlags, outputOption, printResult } from '../output.ts'
import { readPair } from '../read-flag.ts'

interface ExplainFlags extends ClusterFlags, OutputFlags {
  readonly model?: string
  readonly type?: RequestType
  readonly client?: string
  readonly header?: Readonly<Record<string, string>>
  readonly profile?: string
  readonly path?: string
  readonly config?: string
  readonly stateDir?: string
}

export function addExplainCommand(program: CliCommand, context: CommandContext): void {
  const command: CliCommand = program
    .command('explain')
    .description(
      `Explain an error code, or which way a request would take: rule, groups, accounts, and why not the others. The way is that of a cluster, with the health that it tells of its accounts, or that of a folder of manifests (--config). ${PLACE_RULE.Folder}`,
    )
    .argument('[code]', 'an error code such as KP-PROV-110')
    .option('--model <name>', 'model that the request asks for')
    .addOption(
      new Option('--type <type>', 'request type; absent: as path, model family or body say').choices([
        'chat',
        'completion',
        'embedding',
        'other',
      ]),
    )
    .option('--client <name>', 'GatewayClient that sends it')
    .option('--header <name=value>', 'a header of the request; may be given several times', readPair)
    .option('--profile <name>', 'profile that it asks for')
    .option('--path <path>', 'path of the request, e.g. /v1/embeddings')
    .option('--config <path>', 'folder or file of manifests; absent, and without a cluster: the current folder')
    .option(
      '--state-dir <path>',
      'with a folder: state of its gateway, whose saved health counts; absent: accounts count as healthy',
    )
  addClusterOptions(command)
    .addOption(outputOption())
    .example('korproxy explain KP-PROV-110')
    .example('korproxy explain --model gpt-4o-mini --config examples/quickstart')
    .example('korproxy explain --model claude-sonnet-4-5 --client team-a --header x-team=search -o json')
    .action((code: string | undefined, flags: ExplainFlags) => explain(command, code, flags, context))
}

async function explain(
  command: CliCommand,
  code: string | undefined,
  flags: ExplainFlags,
  context: CommandContext,
): Promise<void> {
  if (code !== undefined) return explainCode(command, code.toUpperCase(), flags, context)
  const { model } = flags
  if (model === undefined) command.error('error: give an error code, or --model for the way of a request')
  return explainModel(command, { ...flags, model }, context)
}

function explainCode(command: CliCommand, code: string, flags: OutputFlags, { terminal }: CommandContext): void {
  if (!isErrorCode(code)) {
    const likely = suggestion(code, Object.keys(ERRORS))
    const otherwise = likely === '' ? '; for the way of a request give its model with --model' : likely
    command.error(`error: ${code} is not an error code${otherwise}`)
  }
  printResult(terminal, flags.output, { code, ...ERRORS[code] }, () => codePage(code))
}

interface Configured {
  readonly table: RoutingTable
  readonly namespace: string
  readonly health?: SavedHealth
  /** What to tell besides. */
  readonly remark?: string
}

async function explainModel(
  command: CliCommand,
  flags: ExplainFlags & { readonly model: string },
  { terminal, environment }: CommandContext,
): Promise<void> {
  const { explainRouting } = await import('../explain-routing.ts')
  const { renderRouting } = await import('../render-routing.ts')
  const place = choosePlace(command, { environment, otherwise: 'Folder' })
  const configured = place === 'Cluster' ? await fromCluster(flags) : await fromFolder(flags, environment)
  const { table, namespace, health, remark } = configured
  const { type, profile, path } = flags
  const headers = Object.entries(flags.header ?? {}).map(([name, value]) => [name.toLowerCase(), value])
  const report = explainRouting(
    table,
    {
      model: flags.model,
      headers: Object.fromEntries(headers),
      ...(type === undefined ? {} : { type }),
      ...(profile === undefined ? {} : { profile }),
      ...(path === undefined ? {} : { path }),
      ...(flags.client === undefined ? {} : { client: findClient(table, namespace, flags.client) }),
    },
    { namespace, random: Math.random, nowMs: Date.now(), ...(health === undefined ? {} : { health }) },
  )
  printResult(terminal, flags.output, report, () => renderRouting(report))
  if (remark !== undefined) terminal.tell(`${remark}\n`)
}

async function fromFolder(
  { config = '.', namespace = 'default', stateDir }: ExplainFlags,
  environment: CommandContext['environment'],
): Promise<Configured> {
  const { loadConfiguration } = await import('../load-configuration.ts')
  const { readHealth } = await import('../read-health.ts')
  const { table, problems } = await loadConfiguration([config], { namespace, environment })
  return {
    table,
    namespace,
    ...(stateDir === undefined ? {} : { health: readHealth(stateDir) }),
    ...(problems.length > 0 && { remark: `The configuration has problems; see: korproxy config validate ${config}` }),
  }
}

async function fromCluster(flags: ExplainFlags): Promise<Configured> {
  const { withCluster } = await import('../cluster/open-cluster.ts')
  const { routingOfCluster } = await import('../cluster/cluster-set.ts')
  const { healthOfCluster } = await import('../cluster/cluster-accounts.ts')
  return withCluster(flags, async (cluster) => {
    const { table, objects, invalid } = await routingOfCluster(cluster)
    return {
      table,
      namespace: cluster.namespace,
      health: healthOfCluster(objects, Date.now()),
      ...(invalid > 0 && {
        remark:
          'Objects that are not valid are left out here; gateways may know their last valid form. See: korproxy status',
      }),
    }
  })
}

function findClient(table: RoutingTable, namespace: string, name: string): Client {
  const { clients } = table.clients
  const found = clients[name] ?? clients[`${namespace}/${name}`]
  if (found !== undefined) return found
  const known = Object.values(clients).map((client) => client.name)
  throw new KorProxyError('KP-CONF-207', { message: `GatewayClient ${name} does not exist${suggestion(name, known)}` })
}

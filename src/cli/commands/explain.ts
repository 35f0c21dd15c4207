import { Option } from 'commander'
import { KorProxyError } from '#errors/korproxy-error.ts'
import { ERRORS } from '#errors/registry.ts'
import type { Client, RequestType, RoutingTable } from '#table/routing-table.ts'
import type { CliCommand, CommandContext } from '../cli-command.ts'
import { codePage, isErrorCode } from '../explain-code.ts'
import { namespaceOption } from '../namespace-option.ts'
import { type OutputFlags, outputOption, printResult } from '../output.ts'
import { readPair } from '../read-flag.ts'
import { suggestion } from '../suggest.ts'

interface ExplainFlags extends OutputFlags {
  readonly model?: string
  readonly type?: RequestType
  readonly client?: string
  readonly header?: Readonly<Record<string, string>>
  readonly profile?: string
  readonly path?: string
  readonly config: string
  readonly namespace: string
}

export function addExplainCommand(program: CliCommand, context: CommandContext): void {
  const command: CliCommand = program
    .command('explain')
    .description(
      'Explain an error code, or which way a request would take: rule, groups, accounts, and why not the others.',
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
    .option('--config <path>', 'folder or file of manifests', '.')
    .addOption(namespaceOption())
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
  return explainModel({ ...flags, model }, context)
}

function explainCode(command: CliCommand, code: string, flags: OutputFlags, { terminal }: CommandContext): void {
  if (!isErrorCode(code)) {
    command.error(`error: ${code} is not an error code${suggestion(code, Object.keys(ERRORS))}`)
  }
  printResult(terminal, flags.output, { code, ...ERRORS[code] }, () => codePage(code))
}

async function explainModel(
  flags: ExplainFlags & { readonly model: string },
  { terminal, environment }: CommandContext,
): Promise<void> {
  const { loadConfiguration } = await import('../load-configuration.ts')
  const { explainRouting } = await import('../explain-routing.ts')
  const { renderRouting } = await import('../render-routing.ts')
  const { namespace, type, profile, path } = flags
  const { table, problems } = await loadConfiguration([flags.config], { namespace, environment })
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
    { namespace, random: Math.random, nowMs: Date.now() },
  )
  printResult(terminal, flags.output, report, () => renderRouting(report))
  if (problems.length > 0) {
    terminal.tell(`The configuration has problems; see: korproxy config validate ${flags.config}\n`)
  }
}

function findClient(table: RoutingTable, namespace: string, name: string): Client {
  const { clients } = table.clients
  const found = clients[name] ?? clients[`${namespace}/${name}`]
  if (found !== undefined) return found
  const known = Object.values(clients).map((client) => client.name)
  throw new KorProxyError('KP-CONF-207', { message: `GatewayClient ${name} does not exist${suggestion(name, known)}` })
}

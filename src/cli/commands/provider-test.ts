import { KorProxyError } from '#errors/korproxy-error.ts'
import { ERRORS } from '#errors/registry.ts'
import { suggestion } from '#resources/suggest.ts'
import type { CliCommand, CommandContext } from '../cli-command.ts'
import type { ListedAccount } from '../list-accounts.ts'
import { namespaceOption } from '../namespace-option.ts'
import { type OutputFlags, outputOption, printResult, renderTable } from '../output.ts'
import { readCount } from '../read-flag.ts'
import { stateDirectoryOption } from '../state-directory.ts'
import type { AccountTest } from '../test-account.ts'

interface TestFlags extends OutputFlags {
  readonly all?: true
  readonly config: string
  readonly namespace: string
  readonly model?: string
  readonly timeout: number
  readonly stateDir: string
  readonly verbose?: true
}

export function addProviderTestCommand(provider: CliCommand, context: CommandContext): void {
  const command: CliCommand = provider
    .command('test')
    .description('Make one smallest real call with the credential of an account. Exit code 1: an account failed.')
    .argument('[account...]', 'names of ProviderAccounts')
    .option('--all', 'test every account')
    .option('--config <path>', 'folder or file of manifests', '.')
    .addOption(namespaceOption())
    .option('--model <name>', 'ask this model for one token, which is billed; absent: an unbilled call')
    .option('--timeout <seconds>', 'how long an account may take', readCount, 30)
    .addOption(stateDirectoryOption())
    .option('--verbose', 'show what was called')
    .addOption(outputOption())
    .example('korproxy provider test openai-main --config /etc/korproxy')
    .example('korproxy provider test --all -o json')
    .example('korproxy provider test openai-main --model gpt-4o-mini')
    .action((names: string[], flags: TestFlags) => test(command, names, flags, context))
}

async function test(
  command: CliCommand,
  names: readonly string[],
  flags: TestFlags,
  { terminal, environment, fail }: CommandContext,
): Promise<void> {
  if (names.length === 0 && flags.all !== true) command.error('error: name an account, or give --all')
  const { loadConfiguration } = await import('../load-configuration.ts')
  const { listAccounts } = await import('../list-accounts.ts')
  const { testAccounts } = await import('../test-accounts.ts')
  const configuration = await loadConfiguration([flags.config], { namespace: flags.namespace, environment })
  const wanted = chooseAccounts(listAccounts(configuration), flags.all === true ? undefined : names, flags.namespace)
  for (const { namespace, name } of wanted) {
    if (configuration.table.credentials[`${namespace}/${name}`]?.type !== 'OAuth2') continue
    const shared = `it shares its tokens with the gateway whose state is in ${flags.stateDir}`
    terminal.tell(`${name} is an OAuth 2 account: ${shared}; one that must be renewed is renewed for both.\n`)
  }
  const tests = await testAccounts(configuration, wanted, {
    stateDirectory: flags.stateDir,
    timeoutMs: flags.timeout * 1_000,
    ...(flags.model === undefined ? {} : { model: flags.model }),
    report: (account, failure) => terminal.tell(`${account}: ${String(failure)}\n`),
  })
  printResult(terminal, flags.output, tests, () => testTable(tests, flags.verbose === true ? 'Calls' : 'Plain'))
  const codes = new Set(tests.flatMap(({ code }) => (code === undefined ? [] : [code])))
  for (const code of codes) terminal.tell(`${code}: ${ERRORS[code].fix.join(' ')}\n`)
  if (tests.some(({ result }) => result === 'failed')) fail()
}

/** @throws KorProxyError KP-CONF-207 for a name that is no account, KP-CONF-218 when there is none at all */
function chooseAccounts(
  accounts: readonly ListedAccount[],
  names: readonly string[] | undefined,
  namespace: string,
): readonly ListedAccount[] {
  if (accounts.length === 0) throw new KorProxyError('KP-CONF-218')
  if (names === undefined) return accounts
  return names.map((name) => {
    const found = accounts.find((account) => account.name === name && account.namespace === namespace)
    if (found !== undefined) return found
    const known = accounts.map((account) => account.name)
    throw new KorProxyError('KP-CONF-207', {
      message: `ProviderAccount ${name} does not exist in namespace ${namespace}${suggestion(name, known)}`,
    })
  })
}

function testTable(tests: readonly AccountTest[], columns: 'Plain' | 'Calls'): string {
  const heads = ['namespace', 'account', 'provider', 'result', 'ms', 'code', 'message']
  const rows = tests.map(({ namespace, account, provider, result, latencyMs, code, message, call }) => [
    namespace,
    account,
    provider,
    result,
    latencyMs === undefined ? '-' : String(latencyMs),
    code ?? '-',
    message ?? '-',
    ...(columns === 'Calls' ? [call ?? '-'] : []),
  ])
  return renderTable(columns === 'Calls' ? [...heads, 'call'] : heads, rows)
}

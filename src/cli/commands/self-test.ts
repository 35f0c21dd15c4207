import { Option } from 'commander'
import type { CliCommand, CommandContext } from '../cli-command.ts'
import { namespaceOption } from '../namespace-option.ts'
import { type OutputFlags, outputOption, printResult } from '../output.ts'
import { readAddress, readCount } from '../read-flag.ts'
import type { CheckResult } from '../self-test.ts'
import { type Color, paint, type Terminal } from '../terminal.ts'

interface SelfTestFlags extends OutputFlags {
  readonly server?: string
  readonly config?: string
  readonly namespace: string
  readonly key?: string
  readonly model?: string
  readonly embeddingModel?: string
  readonly timeout: number
  readonly verbose?: true
}

export function addSelfTestCommand(program: CliCommand, context: CommandContext): void {
  program
    .command('self-test')
    .description(
      'Ask a gateway what clients ask: health, chat, stream, embeddings, an error. Without --server one is started for it, with the simulator or with the accounts of --config. Exit code 1: a check failed.',
    )
    .option('--server <url>', 'address of a running gateway', readAddress)
    .option(
      '--config <path>',
      'folder or file of manifests for a gateway of its own; its accounts are really called, and its errors fail the test',
    )
    .addOption(namespaceOption())
    .addOption(new Option('--key <key>', 'key of a GatewayClient').env('KORPROXY_KEY'))
    .option('--model <name>', 'model to chat with; absent: the first that is listed')
    .option('--embedding-model <name>', 'model to embed with; absent: the first that is listed')
    .option('--timeout <seconds>', 'how long a check may take', readCount, 60)
    .option('--verbose', 'show details, and the log of a gateway of its own')
    .addOption(outputOption())
    .example('korproxy self-test')
    .example('korproxy self-test --server http://127.0.0.1:1337 --model gpt-4o-mini')
    .example('korproxy self-test --config /etc/korproxy --verbose')
    .action((flags: SelfTestFlags) => runSelfTest(flags, context))
}

async function runSelfTest(flags: SelfTestFlags, context: CommandContext): Promise<void> {
  const { terminal } = context
  const checks = flags.server === undefined ? await testOwn(flags, context) : await testServer(flags, flags.server)
  printResult(terminal, flags.output, checks, () =>
    renderChecks(terminal, checks, flags.verbose === true ? 'All' : 'Faults'),
  )
  if (checks.some(({ result }) => result === 'failed')) context.fail()
}

async function testServer(flags: SelfTestFlags, server: string): Promise<readonly CheckResult[]> {
  const { selfTest } = await import('../self-test.ts')
  const { key, model, embeddingModel } = flags
  return selfTest({
    server: server.replace(/\/+$/, ''),
    timeoutMs: flags.timeout * 1_000,
    ...(key === undefined ? {} : { key }),
    ...(model === undefined ? {} : { model }),
    ...(embeddingModel === undefined ? {} : { embeddingModel }),
  })
}

async function testOwn(
  flags: SelfTestFlags,
  { terminal, environment }: CommandContext,
): Promise<readonly CheckResult[]> {
  const { startSelfContained } = await import('../self-contained-gateway.ts')
  const gateway = await startSelfContained({
    ...(flags.config === undefined ? {} : { config: flags.config }),
    namespace: flags.namespace,
    environment,
    terminal,
    logLevel: flags.verbose === true ? 'info' : 'error',
  })
  try {
    const { checkConfiguration } = await import('../self-test.ts')
    const configuration = flags.config === undefined ? [] : checkConfiguration(gateway.problems)
    return [...configuration, ...(await testServer(flags, gateway.url))]
  } finally {
    gateway.close()
  }
}

const COLORS: Readonly<Record<CheckResult['result'], Color>> = { ok: 'green', failed: 'red', skipped: 'yellow' }

function renderChecks(terminal: Terminal, checks: readonly CheckResult[], details: 'All' | 'Faults'): string {
  const lines = checks.map(({ check, result, latencyMs, detail, code }) => {
    const shown = details === 'All' || result !== 'ok'
    const words = shown ? `  ${code === undefined ? '' : `${code} `}${detail}` : ''
    return `${paint(terminal, COLORS[result], result.padEnd(8))}${check.padEnd(14)}${`${latencyMs} ms`.padStart(8)}${words}\n`
  })
  const count = (wanted: CheckResult['result']): number => checks.filter(({ result }) => result === wanted).length
  return `${lines.join('')}${count('ok')} ok, ${count('failed')} failed, ${count('skipped')} skipped\n`
}

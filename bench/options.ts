import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

export const USAGE = `Usage: npm run bench -- [options]

Measures KorProxy beside nginx and a direct connection, on loopback, in one interleaved run.

  --quick              one short round of the main figures: does it still run?
  --peers              install and measure Envoy, HAProxy, LiteLLM, Portkey and TensorZero too
  --rounds N           rounds of every gateway (4)
  --seconds S          measured window of every scenario (3)
  --only A,B           only these gateways
  --scenarios A,B      only these scenarios
  --subject NAME       the gateway that goals and baseline are about (korproxy)
  --extra FILE         further gateways, as JSON
  --port N             port of the gateway; the mock upstream takes the next one (19100)
  --baseline FILE      compare with this file (bench/baseline.json)
  --update-baseline    write this run's ratios into it
  --write-docs         write this run's tables into docs/performance.md
  --from FILE          use the rounds of an earlier run's file in bench/results instead of measuring
  --help

Exit codes: 0 done, 1 not measured or the subject failed requests, 2 wrong usage, 3 worse than the baseline.
`

export interface Options {
  readonly quick: boolean
  readonly peers: boolean
  readonly rounds: number
  readonly seconds: number
  readonly only: readonly string[] | undefined
  readonly scenarios: readonly string[] | undefined
  readonly subject: string
  readonly extra: string | undefined
  readonly port: number
  readonly baseline: string
  readonly updateBaseline: boolean
  readonly writeDocs: boolean
  readonly from: string | undefined
  readonly help: boolean
}

/** Scenarios that together touch every path in a few seconds. */
const QUICK_SCENARIOS = ['request1KB', 'oneConnection', 'floodStreams', 'translated1KB']

/** Throws on an unknown option or a number that is none. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      peers: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      only: { type: 'string' },
      scenarios: { type: 'string' },
      subject: { type: 'string', default: 'korproxy' },
      extra: { type: 'string' },
      port: { type: 'string', default: '19100' },
      baseline: { type: 'string', default: join(import.meta.dirname, 'baseline.json') },
      'update-baseline': { type: 'boolean', default: false },
      'write-docs': { type: 'boolean', default: false },
      from: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  return {
    ...values,
    rounds: positive('--rounds', values.rounds ?? (values.quick ? '1' : '4')),
    seconds: positive('--seconds', values.seconds ?? (values.quick ? '1' : '3')),
    port: positive('--port', values.port),
    only: values.only?.split(','),
    scenarios: values.scenarios?.split(',') ?? (values.quick ? QUICK_SCENARIOS : undefined),
    extra: values.extra && resolve(values.extra),
    from: values.from && resolve(values.from),
    baseline: resolve(values.baseline),
    updateBaseline: values['update-baseline'],
    writeDocs: values['write-docs'],
  }
}

function positive(name: string, text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new Error(`${name} needs a number above 0, not ${text}`)
  return value
}

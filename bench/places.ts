import { homedir } from 'node:os'
import { join } from 'node:path'

const BENCH = import.meta.dirname

/** Where everything is. Only `results` and the documentation are inside the repository. */
export interface Places {
  readonly repository: string
  readonly bench: string
  /** Compiled tools, installed peers and files of a run; kept between runs. */
  readonly scratch: string
  /** Rendered configurations, request bodies and logs of the gateways. */
  readonly run: string
  readonly results: string
  /** Port of the gateway under test; the mock upstream listens on the next one. */
  readonly port: number
  readonly mockPort: number
}

/** The gateway's CPU, and the one that mock and load generator share. */
export const GATEWAY_CPU = 0
export const LOAD_CPU = 1

export function placesFor(port: number): Places {
  const scratch = process.env['BENCH_SCRATCH'] ?? join(homedir(), '.cache', 'korproxy-bench')
  return {
    repository: join(BENCH, '..'),
    bench: BENCH,
    scratch,
    run: join(scratch, 'run'),
    results: join(BENCH, 'results'),
    port,
    mockPort: port + 1,
  }
}

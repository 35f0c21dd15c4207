import { createHash, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { createHttpTransport } from '../src/gateway/table-client/http-transport.ts'
import { TableClient } from '../src/gateway/table-client/table-client.ts'
import { createLogger } from '../src/telemetry/log.ts'

/**
 * Table clients of many gateways in one process, each as a gateway has it: connection, token, checks of the table. What they do with
 * a table is nothing. `table-clients.ts URL FOLDER NAME...`, where FOLDER/NAME holds `token` and `ca.crt`. Ends with its parent.
 */
const [url = '', folder = '', ...names] = process.argv.slice(2)
const log = createLogger({ level: 'error' }).component('table-client')

for (const name of names) {
  const client = new TableClient({
    transport: createHttpTransport({
      url,
      gateway: name,
      formats: [1],
      tokenPath: join(folder, name, 'token'),
      authorityPath: join(folder, name, 'ca.crt'),
      random: Math.random,
      onUnknown: (what) => log.error({ what }, 'not understood'),
    }),
    gateway: { apply: () => {}, registry: { all: () => [] } },
    name,
    bootId: randomUUID(),
    image: 'bench',
    world: {
      monotonic: () => performance.now(),
      unixTime: () => Date.now(),
      after: (delayMs, callback) => {
        const timer = setTimeout(callback, delayMs)
        return () => clearTimeout(timer)
      },
      random: Math.random,
    },
    sha256: (text) => createHash('sha256').update(text).digest('hex'),
    log,
    setLogLevel: () => {},
    traffic: () => ({ requests: 0, failures: 0 }),
  })
  await client.start()
}
process.stdin.on('end', () => process.exit(0)).resume()

import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { compile } from '../../src/compile/compile.ts'
import { openFolderSource } from '../../src/controller/sources/folder.ts'
import { Gateway } from '../../src/gateway/gateway.ts'
import { DEFAULT_LIMITS, type GatewayOptions } from '../../src/gateway/options.ts'
import { type GatewayServer, startServer } from '../../src/gateway/server.ts'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'
import { createLogger } from '../../src/telemetry/log.ts'
import type { RequestEvent } from '../../src/telemetry/request-event.ts'
import { scratch } from './stack.ts'

/** A gateway alone, as a cluster runs it: the test holds its clock and its options. */
export interface Rig {
  readonly url: string
  readonly gateway: Gateway
  readonly server: GatewayServer
  readonly simulator: Simulator
  readonly events: readonly RequestEvent[]
  readonly log: () => string
  /** Unix time of the gateway, milliseconds; stands still unless the test moves it. */
  readonly clock: { nowMs: number }
  apply(manifests: string): Promise<void>
}

export interface RigOptions {
  readonly privateAddresses?: GatewayOptions['privateAddresses']
  readonly role?: GatewayOptions['role']
  readonly limits?: Partial<GatewayOptions['limits']>
  readonly host?: string
}

export async function startRig(t: Test, manifests: string, options: RigOptions = {}): Promise<Rig> {
  const simulator = await startSimulator()
  const clock = { nowMs: 1_800_000_000_000 }
  const events: RequestEvent[] = []
  const lines: string[] = []
  const log = createLogger({
    level: 'info',
    destination: { write: (line: string) => void lines.push(line) },
  }).component('gateway')
  const gateway = new Gateway(
    {
      now: () => clock.nowMs,
      monotonic: () => performance.now(),
      random: () => 0.5,
      newId: () => 'id1',
      log,
      record: (event) => void events.push(event),
    },
    {
      version: '0.0.0',
      docsUrl: 'https://korproxy.example',
      role: options.role ?? 'Standalone',
      privateAddresses: options.privateAddresses ?? 'Allow',
      limits: { ...DEFAULT_LIMITS, ...options.limits },
    },
    { tokens: { loadTokens: async () => undefined, saveTokens: async () => {} }, health: {} },
  )
  const apply = async (text: string): Promise<void> => {
    const folder = scratch(t)
    writeFileSync(join(folder, 'korproxy.yaml'), text.replaceAll('{simulator}', simulator.url))
    const source = await openFolderSource(folder, { namespace: 'default', environment: {}, log, onChange: () => {} })
    const { table } = compile(source.current(), {
      defaultNamespace: 'default',
      sha256: (content: string) => createHash('sha256').update(content).digest('hex'),
    })
    await source.close()
    gateway.apply(table)
  }
  await apply(manifests)
  const server = await startServer(gateway, {
    host: options.host ?? '127.0.0.1',
    port: 0,
    docsUrl: 'https://korproxy.example',
    metrics: async () => ({ contentType: 'text/plain', text: '' }),
  })
  t.teardown(async () => {
    await server.close()
    await simulator.close()
  })
  return { url: server.url, gateway, server, simulator, events, log: () => lines.join(''), clock, apply }
}

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Problem } from '#resources/resource.ts'
import { startSimulator } from '#simulator/simulator.ts'
import { createLogger } from '#telemetry/log.ts'
import { startStandalone } from './standalone.ts'
import type { Terminal } from './terminal.ts'

export interface SelfContainedOptions {
  /** Absent: one account at the simulator. */
  readonly config?: string
  readonly namespace: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Gets the log of the gateway. */
  readonly terminal: Terminal
  readonly logLevel: 'error' | 'info'
}

export interface SelfContainedGateway {
  readonly url: string
  /** What is wrong with its configuration. */
  readonly problems: readonly Problem[]
  close(): Promise<void>
}

/** A gateway on a free port of loopback that leaves nothing behind. */
export async function startSelfContained(options: SelfContainedOptions): Promise<SelfContainedGateway> {
  const directory = mkdtempSync(join(tmpdir(), 'korproxy-self-test-'))
  const simulator = options.config === undefined ? await startSimulator() : undefined
  const clean = async (): Promise<void> => {
    await simulator?.close()
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    const manifest = join(directory, 'korproxy.yaml')
    if (simulator !== undefined) writeFileSync(manifest, simulatorAccount(simulator.url))
    const write = (line: string): void => options.terminal.tell(line)
    const standalone = await startStandalone({
      config: options.config ?? manifest,
      namespace: options.namespace,
      host: '127.0.0.1',
      port: 0,
      stateDirectory: join(directory, 'state'),
      managementToken: 'kpm-self-test',
      environment: options.environment,
      log: createLogger({ level: options.logLevel, destination: { write } }).component('gateway'),
    })
    return {
      url: standalone.url,
      problems: standalone.problems(),
      close: async () => {
        await standalone.close()
        await clean()
      },
    }
  } catch (error) {
    await clean()
    throw error
  }
}

function simulatorAccount(url: string): string {
  return `apiVersion: v1
kind: Secret
metadata: {name: simulator}
stringData: {apiKey: sk-self-test}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: simulator}
spec:
  provider: Mock
  baseURL: "${url}"
  auth: {secretKeyRef: {name: simulator}}
  models: {list: [gpt-4o-mini, text-embedding-3-small]}
`
}

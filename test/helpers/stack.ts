import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { type Standalone, startStandalone } from '../../src/cli/standalone.ts'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'
import { createLogger } from '../../src/telemetry/log.ts'

export interface Stack {
  readonly url: string
  readonly simulator: Simulator
  readonly standalone: Standalone
  /** Replaces the manifests while the gateway runs. */
  configure(manifests: string): void
  /** Lines of the access log so far; complete after `settled`. */
  accessLog(): Record<string, unknown>[]
  /** Waits until the access log has this many lines. */
  settled(lines: number): Promise<Record<string, unknown>[]>
  /** Everything that the gateway has logged, as JSON lines. */
  log(): string
  metrics(): Promise<string>
}

/** Fake state directories and folders of a test are its own and vanish with it. */
export function scratch(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'korproxy-test-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

export interface StackOptions {
  readonly stateDirectory?: string
  readonly limits?: Parameters<typeof startStandalone>[0]['limits']
  readonly environment?: Readonly<Record<string, string>>
  readonly simulator?: Simulator
}

/** The whole standalone product on loopback, with the simulator as its only provider. `{simulator}` in the manifests is its URL. */
export async function startStack(t: Test, manifests: string, options: StackOptions = {}): Promise<Stack> {
  const folder = scratch(t)
  const state = options.stateDirectory ?? scratch(t)
  const simulator = options.simulator ?? (await startSimulator())
  const write = (text: string): void =>
    writeFileSync(join(folder, 'korproxy.yaml'), text.replaceAll('{simulator}', simulator.url))
  write(manifests)
  const lines: string[] = []
  const standalone = await startStandalone({
    config: folder,
    namespace: 'default',
    host: '127.0.0.1',
    port: 0,
    stateDirectory: state,
    managementToken: 'kpm-test',
    environment: options.environment ?? {},
    log: createLogger({ level: 'info', destination: { write: (line: string) => void lines.push(line) } }).component(
      'gateway',
    ),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  })
  t.teardown(async () => {
    await standalone.close()
    if (options.simulator === undefined) await simulator.close()
  })
  const accessLog = (): Record<string, unknown>[] => readAccessLog(join(state, 'access'))
  return {
    url: standalone.url,
    simulator,
    standalone,
    configure: write,
    accessLog,
    settled: (count) => waitFor(accessLog, (found) => found.length >= count),
    log: () => lines.join(''),
    metrics: async () => (await fetch(`${standalone.url}/metrics`)).text(),
  }
}

function readAccessLog(directory: string): Record<string, unknown>[] {
  // Made with the first line.
  if (!existsSync(directory)) return []
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .flatMap(({ name }) => readFileSync(join(directory, name), 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}

/** Polls until the value is as wanted; gives the last value after five seconds, for the assertion to show. */
export async function waitFor<T>(read: () => T | Promise<T>, wanted: (value: T) => boolean): Promise<T> {
  const end = performance.now() + 5_000
  for (;;) {
    const value = await read()
    if (wanted(value) || performance.now() > end) return value
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Manifests of accounts `a`, `b` … at the simulator, each with its own key `sk-a`, `sk-b`. */
export function accounts(names: readonly string[], fields = 'provider: OpenAI', path = '/v1'): string {
  return names
    .map(
      (name) => `
apiVersion: v1
kind: Secret
metadata: {name: ${name}}
stringData: {apiKey: sk-${name}}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: ${name}}
spec:
  ${fields}
  baseURL: "{simulator}${path}"
  auth: {secretKeyRef: {name: ${name}}}
---`,
    )
    .join('')
}

/** Two accounts, the second for what the first cannot do. */
export const PRIMARY_AND_FALLBACK = `${accounts(['a', 'b'])}
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: main}
spec:
  selectionStrategy: Priority
  accountRefs: [{name: a, priority: 0}, {name: b, priority: 1}]
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: default}
spec: {defaultProviderGroup: {name: main}}
`

/** One account at a provider of the test's own, for what no simulator does. */
export async function startStackAt(t: Test, listener: RequestListener): Promise<Stack> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return startStack(t, accounts(['a']).replaceAll('{simulator}', `http://127.0.0.1:${port}`))
}

/** One account in a group of its own, which all requests go to. */
export function onlyAccount(fields?: string, path?: string): string {
  return `${accounts(['a'], fields, path)}
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: main}
spec: {accountRefs: [{name: a}]}
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: default}
spec: {defaultProviderGroup: {name: main}}
`
}

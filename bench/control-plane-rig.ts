import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ApiClient } from '../src/controller/kube/api-client.ts'
import { resourceOfKind } from '../src/controller/kube/api-resource.ts'
import { openConnection } from '../src/controller/kube/connection.ts'
import type { Kind } from '../src/resources/kinds.ts'
import { Fleet } from '../test/cluster/fleet.ts'
import type { LogLine } from '../test/cluster/korproxy-process.ts'
import { clusterScript, mustRun, runProgram } from '../test/helpers/run-program.ts'
import { placesFor } from './places.ts'

/** An API server with our CRDs, which ends with this process. */
export interface Plane {
  readonly kubeconfigPath: string
  readonly client: ApiClient
  kubectl(args: readonly string[], stdin?: string): ReturnType<typeof runProgram>
  stop(): Promise<void>
}

export async function startPlane(): Promise<Plane> {
  const { repository } = placesFor(0)
  const kubeconfigPath = await mustRun(clusterScript('start-control-plane'), ['--until', String(process.pid)])
  const directory = dirname(kubeconfigPath)
  const flags = ['--kubeconfig', kubeconfigPath, '--cache-dir', join(directory, 'kubectl-cache')]
  const kubectl: Plane['kubectl'] = (args, stdin = '') =>
    runProgram(join(directory, 'tools', 'kubectl'), [...flags, ...args], { stdin })
  const must = async (args: readonly string[]): Promise<void> => {
    const { code, stderr } = await kubectl(args)
    if (code !== 0) throw new Error(stderr)
  }
  await must(['apply', '--server-side', '--filename', join(repository, 'crds')])
  await must(['wait', '--for=condition=Established', '--timeout=60s', 'crds', '--all'])
  const client = new ApiClient(openConnection({ kubeconfigPath }))
  const stop = async (): Promise<void> => {
    await client.close()
    await mustRun(clusterScript('stop'), [directory])
  }
  return { kubeconfigPath, client, kubectl, stop }
}

/** Who acknowledged which table, and when each was published, by the controller's log; times are `performance.now()`. */
class Acknowledgements {
  readonly #byVersion = new Map<string, Map<string, number>>()
  readonly published: { readonly version: string; readonly atMs: number }[] = []
  #wake: (() => void)[] = []

  readonly take = (line: LogLine): void => {
    const { msg, version, gateway } = line
    if (msg === 'routing table published') {
      this.published.push({ version: String(version), atMs: performance.now() })
      // It may have been published before: a switch and back.
      this.#byVersion.delete(String(version))
    } else if (msg === 'acknowledged') {
      const times = this.#byVersion.get(String(version)) ?? new Map<string, number>()
      if (!times.has(String(gateway))) times.set(String(gateway), performance.now())
      this.#byVersion.set(String(version), times)
    } else return
    const waiters = this.#wake
    this.#wake = []
    for (const wake of waiters) wake()
  }

  /** Resolves with the time at which so many gateways had acknowledged a table that was published after `count` others. */
  async all(count: number, gateways: number): Promise<number> {
    for (;;) {
      const newest = this.published.length > count ? this.published.at(-1) : undefined
      const times = newest === undefined ? undefined : this.#byVersion.get(newest.version)
      if (times !== undefined && times.size >= gateways) return Math.max(...times.values())
      await new Promise<void>((resolve) => this.#wake.push(resolve))
    }
  }
}

export interface Site {
  readonly namespace: string
  readonly fleet: Fleet
  readonly acknowledgements: Acknowledgements
  patch(kind: Kind, name: string, patch: object): Promise<void>
}

/** A namespace with its objects, and a fleet that nobody has started yet. */
export async function openSite(plane: Plane, namespace: string, objects: readonly object[]): Promise<Site> {
  const { scratch, repository } = placesFor(0)
  const folder = join(scratch, 'run', `${namespace}-${process.pid}`)
  mkdirSync(folder, { recursive: true })
  const acknowledgements = new Acknowledgements()
  const fleet = new Fleet({
    plane,
    namespace,
    folder,
    process: { program: join(repository, 'dist', 'korproxy.js'), onLine: acknowledgements.take },
  })
  const { code, stderr } = await plane.kubectl(['create', 'namespace', namespace])
  if (code !== 0) throw new Error(stderr)
  await fleet.open()
  await fleet.kubectl(
    ['apply', '--server-side', '--filename', '-'],
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
  )
  const patch: Site['patch'] = async (kind, name, body) => {
    await plane.client.mergePatch({ resource: resourceOfKind(kind), namespace, name }, body)
  }
  return { namespace, fleet, acknowledgements, patch }
}

export function object(kind: string, name: string, spec: object): object {
  return { apiVersion: 'korproxy.dev/v1alpha1', kind, metadata: { name }, spec }
}

export function secretObject(name: string): object {
  const metadata = { name, labels: { 'korproxy.dev/credential': 'true' } }
  return { apiVersion: 'v1', kind: 'Secret', metadata, stringData: { apiKey: 'sk-bench' } }
}

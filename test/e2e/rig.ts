import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { buildImage, type Cluster, startCluster } from '../helpers/cluster.ts'
import { scratch } from '../helpers/stack.ts'

export const IMAGE = 'korproxy.test/korproxy:1'
const CHART = fileURLToPath(new URL('../../charts/korproxy', import.meta.url))

/** Gateways ask for little CPU: one more of them must fit on small nodes during a roll-out. */
export const VALUES = {
  image: { repository: 'korproxy.test/korproxy', tag: '1' },
  watchNamespaces: ['korproxy', 'shop'],
  controller: { resources: { requests: { cpu: '50m', memory: '192Mi' } } },
  gateway: { replicas: 3, resources: { requests: { cpu: '50m', memory: '128Mi' } } },
}

/** A cluster with the image of this repository, and what tests do to a release in it. */
export interface ReleaseRig {
  readonly cluster: Cluster
  /** Runs kubectl, which must succeed; gives its output. */
  kubectl(args: readonly string[], stdin?: string): Promise<string>
  /** Runs helm, which must succeed, in namespace `korproxy`. */
  helm(command: readonly string[]): Promise<string>
  /** `helm install` or `helm upgrade` of the chart with `VALUES` and these. */
  release(command: 'install' | 'upgrade', values: object): Promise<string>
  /** Asks a pod of namespace `shop`, from this machine. */
  ask(pod: string, path: string, init?: RequestInit & { readonly port?: number }): Promise<unknown>
  /** Every object of the cluster as `Kind namespace/name`, without Events and what nodes say of themselves. */
  inventory(): Promise<readonly string[]>
}

/** For one test file: the cluster ends with it. An archive of the image at hand spares the build: `KORPROXY_TEST_IMAGE`. */
export async function startReleaseRig(): Promise<ReleaseRig> {
  const image = process.env['KORPROXY_TEST_IMAGE'] ?? (await buildImage(t, IMAGE))
  const cluster = await startCluster(t, { nodes: 2, images: [image] })
  const kubectl = async (args: readonly string[], stdin?: string): Promise<string> => {
    const { code, stdout, stderr } = await cluster.kubectl(args, stdin)
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} failed (${code}): ${stderr}${stdout}`)
    return stdout.trimEnd()
  }
  const helm = async (command: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await cluster.helm([...command, '--namespace=korproxy'])
    if (code !== 0) throw new Error(`helm ${command.join(' ')} failed (${code}): ${stderr}${stdout}`)
    return stdout
  }
  return {
    cluster,
    kubectl,
    helm,
    release: (command, values) => {
      const path = join(scratch(t), 'values.json')
      writeFileSync(path, JSON.stringify({ ...VALUES, ...values }))
      return helm([command, 'korproxy', CHART, '--values', path, '--wait', '--timeout=3m'])
    },
    ask: async (pod, path, { port = 8080, ...init } = {}) => {
      const address = await kubectl(['get', `pod/${pod}`, '--namespace=shop', '--output=jsonpath={.status.podIP}'])
      return (await fetch(`http://${address}:${port}${path}`, init)).json()
    },
    inventory: async () => {
      const listed = await kubectl(['api-resources', '--verbs=list', '--output=name'])
      const kinds = listed.split('\n').filter((kind) => !/^(events|csinodes|componentstatuses)/.test(kind))
      const columns = 'custom-columns=KIND:.kind,NAMESPACE:.metadata.namespace,NAME:.metadata.name'
      const get = ['get', kinds.join(','), '--all-namespaces', '--no-headers', `--output=${columns}`]
      const rows = (await kubectl(get)).split('\n').map((row) => row.split(/\s+/))
      const names = rows.map(([kind, namespace, name]) => `${kind} ${namespace}/${name}`)
      return names.filter((name) => !name.startsWith('Lease kube-node-lease/')).sort()
    },
  }
}

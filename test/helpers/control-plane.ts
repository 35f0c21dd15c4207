import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import root, { type Test } from 'tap'
import { clusterScript, type Finished, mustRun, runProgram } from './run-program.ts'

/** A real API server with the CRDs of this repository. RBAC is on; `kubectl` is an administrator. */
export interface ControlPlane {
  readonly kubeconfigPath: string
  readonly url: string
  /** JSON lines of audit.k8s.io/v1 Events, without bodies. Absent where the cluster was given from outside. */
  readonly auditLogPath?: string
  kubectl(args: readonly string[], stdin?: string): Promise<Finished>
  /** Creates a namespace for this test alone, which is deleted after it. */
  namespace(t: Test): Promise<string>
}

/** A control plane that a test file does not share, and may therefore disturb. */
export interface OwnControlPlane extends ControlPlane {
  readonly auditLogPath: string
  /** Kills a process; it is started again, as it was, after `downSeconds`. */
  restart(component: Component, downSeconds: number): Promise<void>
  /** SIGSTOP makes a process hang, SIGCONT lets it go on. */
  signal(component: Component, signal: 'SIGSTOP' | 'SIGCONT'): void
  /** Resolves when the API server is ready, 60 s at most. */
  ready(): Promise<void>
  stop(): Promise<void>
}

type Component = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler'

export interface ControlPlaneOptions {
  /** With controller manager and scheduler: ServiceAccounts, garbage collection, Deployments that make Pods. */
  readonly controllers?: boolean
}

const CRDS = fileURLToPath(new URL('../../crds/', import.meta.url))
const BUILD_LIMIT_MS = 30 * 60_000
const FILE_LIMIT_MS = 120_000

/**
 * The control plane that all test files share: tests keep to namespaces of their own. `KORPROXY_TEST_KUBECONFIG` names
 * another cluster to use. It stops by itself when no test uses it.
 */
export async function controlPlane({ controllers = false }: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const given = process.env['KORPROXY_TEST_KUBECONFIG']
  if (given !== undefined && given !== '') {
    const kubectl = await kubectlFor(process.env['KUBEBUILDER_ASSETS'])
    return withCrds(await connect(given, [kubectl, '--kubeconfig', given]))
  }
  await needTools()
  // The whole run, if this file is one of many, is a user too: the control plane outlives the gap between two files.
  const users = [String(process.pid), process.env['KORPROXY_TEST_RUN_PID']].filter((pid) => pid !== undefined)
  const flags = controllers ? ['--controllers'] : []
  const kubeconfig = await mustRun(clusterScript('share-control-plane'), [...flags, ...users])
  return withCrds(await connectOwn(kubeconfig))
}

/** A control plane for this test file alone. */
export async function ownControlPlane(
  t: Test,
  { controllers = false }: ControlPlaneOptions = {},
): Promise<OwnControlPlane> {
  await needTools()
  const flags = controllers ? ['--controllers'] : []
  const args = [...flags, '--until', String(process.pid)]
  const kubeconfig = await mustRun(clusterScript('start-control-plane'), args)
  const directory = dirname(kubeconfig)
  const stop = async (): Promise<void> => {
    await mustRun(clusterScript('stop'), [directory])
  }
  t.teardown(stop)
  const plane = await withCrds(await connectOwn(kubeconfig))
  return {
    ...plane,
    restart: async (component, downSeconds) => {
      await mustRun(clusterScript('restart'), [directory, component, String(downSeconds)])
    },
    signal: (component, signal) => {
      process.kill(Number(readFileSync(join(directory, 'pid', component), 'utf8')), signal)
    },
    ready: async () => {
      await mustRun(clusterScript('wait-ready'), [directory, plane.url])
    },
    stop,
  }
}

/** The first run on a machine builds etcd and Kubernetes, for which the usual limit of a test file is too short. */
async function needTools(): Promise<void> {
  root.setTimeout(BUILD_LIMIT_MS)
  await mustRun(clusterScript('find-tools'), ['etcd', 'kube-apiserver', 'kubectl'], { stderr: 'Inherit' })
  root.setTimeout(FILE_LIMIT_MS)
}

async function kubectlFor(assets: string | undefined): Promise<string> {
  const candidate = join(assets ?? '', 'kubectl')
  return assets !== undefined && (await runProgram('test', ['-x', candidate])).code === 0 ? candidate : 'kubectl'
}

async function connectOwn(kubeconfigPath: string): Promise<ControlPlane & { readonly auditLogPath: string }> {
  const directory = dirname(kubeconfigPath)
  // kubectl keeps what it learnt of a server by address, and a later server may have this one's port.
  const flags = ['--kubeconfig', kubeconfigPath, '--cache-dir', join(directory, 'kubectl-cache')]
  const plane = await connect(kubeconfigPath, [join(directory, 'tools', 'kubectl'), ...flags])
  return { ...plane, auditLogPath: join(directory, 'audit.log') }
}

async function connect(
  kubeconfigPath: string,
  [program, ...flags]: readonly [string, ...string[]],
): Promise<ControlPlane> {
  const kubectl = (args: readonly string[], stdin = ''): Promise<Finished> =>
    runProgram(program, [...flags, ...args], { stdin })
  const must = (args: readonly string[]): Promise<string> => mustRun(program, [...flags, ...args])
  return {
    kubeconfigPath,
    url: await must(['config', 'view', '--minify', '--output', 'jsonpath={.clusters[0].cluster.server}']),
    kubectl,
    namespace: async (t) => {
      const name = `test-${randomBytes(6).toString('hex')}`
      await must(['create', 'namespace', name])
      t.teardown(() => must(['delete', 'namespace', name, '--wait=false']))
      return name
    },
  }
}

/** Waits until objects can be stored too, which is a moment after a CRD is Established. */
async function withCrds<P extends ControlPlane>(plane: P): Promise<P> {
  const must = async (args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await plane.kubectl(args)
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} failed: ${stderr}`)
    return stdout
  }
  const applied = await must(['apply', '--server-side', '--force-conflicts', '--output=name', '--filename', CRDS])
  const names = applied.trim().split('\n')
  await must(['wait', '--for=condition=Established', '--timeout=60s', ...names])
  const kinds = names.map((name) => name.replace('customresourcedefinition.apiextensions.k8s.io/', ''))
  await must(['get', kinds.join(','), '--all-namespaces', '--output=name'])
  return plane
}

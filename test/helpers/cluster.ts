import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import root, { type Test } from 'tap'
import { clusterScript, type Finished, mustRun, runProgram } from './run-program.ts'

/** A cluster with real nodes and pods, for one test file. It has no CRDs yet: the chart brings them. */
export interface Cluster {
  readonly kubeconfigPath: string
  readonly auditLogPath: string
  /** Address of this machine that pods reach. */
  readonly hostAddress: string
  kubectl(args: readonly string[], stdin?: string): Promise<Finished>
  helm(args: readonly string[]): Promise<Finished>
  /** Gives an image of `buildImage` to every node. */
  loadImage(archive: string): Promise<void>
  /** Kills a node, as a power cut does. */
  killNode(name: `node-${number}`): void
}

export interface ClusterOptions {
  readonly nodes: number
  /** Archives of `buildImage` to have on every node from the start. */
  readonly images: readonly string[]
}

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url))
const FILE_LIMIT_MS = 15 * 60_000

/** Starts a cluster; it ends with the test, or with this process. Needs what `test/cluster/check-host` asks for. */
export async function startCluster(t: Test, { nodes, images }: ClusterOptions): Promise<Cluster> {
  root.setTimeout(FILE_LIMIT_MS)
  const tools = await mustRun(clusterScript('build-kube-tools'), [], { stderr: 'Inherit' })
  const flags = ['--nodes', String(nodes), ...images.flatMap((image) => ['--image', image])]
  const until = ['--until', String(process.pid)]
  const kubeconfigPath = await mustRun(clusterScript('start-cluster'), [...flags, ...until])
  const directory = dirname(kubeconfigPath)
  t.teardown(() => mustRun(clusterScript('stop'), [directory]))
  const network = readFileSync(join(directory, 'bridge'), 'utf8').trim().replace('kp', '')
  const run = (program: string, args: readonly string[], stdin = ''): Promise<Finished> =>
    runProgram(join(tools, program), ['--kubeconfig', kubeconfigPath, ...args], { stdin })
  return {
    kubeconfigPath,
    auditLogPath: join(directory, 'audit.log'),
    hostAddress: `10.${network}.0.1`,
    kubectl: (args, stdin) => run('kubectl', args, stdin),
    helm: (args) => run('helm', args),
    loadImage: async (archive) => {
      await mustRun(clusterScript('load-image'), [directory, archive])
    },
    killNode: (name) => {
      process.kill(Number(readFileSync(join(directory, 'pid', name), 'utf8')), 'SIGKILL')
    },
  }
}

/**
 * Builds the Dockerfile of a folder (of this repository, unless told otherwise) without Docker; gives the path of the image's archive,
 * which vanishes with the test.
 */
export async function buildImage(t: Test, name: string, context = REPOSITORY): Promise<string> {
  root.setTimeout(FILE_LIMIT_MS)
  const directory = mkdtempSync(join(tmpdir(), 'korproxy-image-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  const archive = join(directory, 'image.tar')
  await mustRun(clusterScript('build-image'), [name, context, archive], { stderr: 'Inherit' })
  return archive
}

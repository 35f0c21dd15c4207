import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import root from 'tap'
import { parse, parseAllDocuments } from 'yaml'
import { clusterScript, type Finished, mustRun, runProgram } from '../helpers/run-program.ts'

/** A manifest, or a part of one. */
// biome-ignore lint/suspicious/noExplicitAny: manifests of any kind; the assertions say what is expected where.
export type Manifest = any

export const CHART = fileURLToPath(new URL('../../charts/korproxy/', import.meta.url))
const BUILD_LIMIT_MS = 30 * 60_000
const FILE_LIMIT_MS = 300_000
/** What `helm template` is told of the cluster. */
const KUBERNETES = '1.34.0'

/** Helm of the machine, else the one that the control plane's tools bring. */
async function findHelm(): Promise<string> {
  const installed = (process.env['PATH'] ?? '').split(':').map((folder) => join(folder, 'helm'))
  const found = installed.find((path) => existsSync(path))
  if (found !== undefined) return found
  return join(await buildOnce(clusterScript('build-kube-tools'), []), 'helm')
}

/** Path of a tool of test/chart/tools. */
export function buildTool(
  name: 'helm-docs' | 'helm-unittest' | 'kube-score' | 'kubeconform' | 'promtool',
): Promise<string> {
  return buildOnce(fileURLToPath(new URL('build-tool', import.meta.url)), [name])
}

/** The first run on a machine takes minutes, for which the usual limit of a test file is too short. */
async function buildOnce(script: string, args: readonly string[]): Promise<string> {
  root.setTimeout(BUILD_LIMIT_MS)
  const path = await mustRun(script, args, { stderr: 'Inherit' })
  root.setTimeout(FILE_LIMIT_MS)
  return path
}

const folder = mkdtempSync(join(tmpdir(), 'korproxy-chart-'))
root.teardown(() => rmSync(folder, { recursive: true, force: true }))

/** Runs helm with a configuration of its own. */
export async function helm(args: readonly string[]): Promise<Finished> {
  const program = await findHelm()
  const own = ['cache', 'config', 'data'].map((name) => `HELM_${name.toUpperCase()}_HOME=${join(folder, name)}`)
  return runProgram('env', [...own, program, ...args])
}

/** Writes values for `--values`. */
export function valuesFile(values: object): string {
  const path = join(folder, 'values.json')
  writeFileSync(path, JSON.stringify(values))
  return path
}

export interface RenderOptions {
  readonly apiVersions?: readonly string[]
  readonly namespace?: string
}

/** `helm template` of release `demo`, in namespace `kp` unless told otherwise. */
export function template(
  values: object,
  { apiVersions = [], namespace = 'kp' }: RenderOptions = {},
): Promise<Finished> {
  const known = apiVersions.flatMap((name) => ['--api-versions', name])
  const flags = ['--namespace', namespace, '--kube-version', KUBERNETES, '--values', valuesFile(values)]
  return helm(['template', 'demo', CHART, ...flags, ...known])
}

/** Every manifest of the chart with these values, CRDs left out unless asked for. */
export async function render(values: object, options: RenderOptions = {}): Promise<Manifest[]> {
  const { code, stdout, stderr } = await template({ crds: { enabled: false }, ...values }, options)
  if (code !== 0) throw new Error(stderr)
  return readManifests(stdout)
}

export function readManifests(text: string): Manifest[] {
  return parseAllDocuments(text, { version: '1.1' }).flatMap((document) => {
    const object = document.toJS()
    return object === null ? [] : [object]
  })
}

/** The one manifest of this kind and name. */
export function find(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.filter((manifest) => manifest.kind === kind && manifest.metadata.name === name)
  if (found.length !== 1) throw new Error(`${found.length} of ${kind}/${name}`)
  return found[0]
}

/** Values that switch everything on. */
export const EVERYTHING: Manifest = parse(readFileSync(`${CHART}tests/values/everything.yaml`, 'utf8'))

/** A cluster without the CRDs, as Helm sees it. */
export const FRESH_CLUSTER = { apiVersions: ['v1/Pod'] }

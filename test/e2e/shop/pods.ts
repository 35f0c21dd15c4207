import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** Key of the client `till` in shop.yaml. */
const KEY = 'kp-shop-till'
const GATEWAYS = 'http://korproxy-gateway.korproxy.svc.cluster.local'
const PROGRAMS = '/programs'
const PROVIDER_PORT = 1340
const PORT = 8080

function pathOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url))
}

/** The OpenAI SDK as npm gives it, in one file with the program that uses it. */
async function bundleWorkload(): Promise<string> {
  const bundle = {
    bundle: true,
    write: false,
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
  } as const
  const { outputFiles } = await build({ entryPoints: [pathOf('workload.ts')], ...bundle })
  const [file] = outputFiles
  if (file === undefined) throw new Error('esbuild gave no file')
  return file.text
}

interface PodOptions {
  readonly image: string
  readonly port: number
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** A pod as the restricted standard wants it, with the programs of this folder in it. */
function pod(name: string, { image, port, args, env = {} }: PodOptions): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', labels: { app: name } },
    spec: {
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 1,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name,
          image,
          command: ['/nodejs/bin/node', ...args],
          env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          resources: { requests: { cpu: '50m' } },
          readinessProbe: { tcpSocket: { port }, periodSeconds: 1 },
          volumeMounts: [{ name: 'programs', mountPath: PROGRAMS }],
        },
      ],
      volumes: [{ name: 'programs', configMap: { name: 'programs' } }],
    },
  }
}

function list(items: readonly object[]): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
}

/** The programs of the pods, the provider with its Service, and the workload. */
export async function shopPods(image: string): Promise<string> {
  const data = { 'load.ts': readFileSync(pathOf('load.ts'), 'utf8'), 'workload.mjs': await bundleWorkload() }
  const provider = ['/app/dist/korproxy.js', 'mock-provider', '--host=0.0.0.0', `--port=${PROVIDER_PORT}`]
  return list([
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'programs', namespace: 'shop' }, data },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'provider', namespace: 'shop' },
      spec: { selector: { app: 'provider' }, ports: [{ port: PROVIDER_PORT }] },
    },
    pod('provider', { image, port: PROVIDER_PORT, args: provider }),
    pod('workload', {
      image,
      port: PORT,
      args: [`${PROGRAMS}/workload.mjs`],
      env: { BASE_URL: `${GATEWAYS}/v1`, KEY },
    }),
  ])
}

export interface LoadOptions {
  readonly requestsPerSecond: number
  readonly streams: number
}

export function loadPod(image: string, { requestsPerSecond, streams }: LoadOptions): string {
  const env = { TARGET: GATEWAYS, KEY, RATE: String(requestsPerSecond), STREAMS: String(streams) }
  return JSON.stringify(pod('load', { image, port: PORT, args: [`${PROGRAMS}/load.ts`], env }))
}

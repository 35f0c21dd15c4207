import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const CONTROL_PLANE = ['etcd', 'kube-apiserver', 'kubectl', 'kube-controller-manager', 'kube-scheduler']
const script = (name: string): string => join('test', 'cluster', name)
const BUILD_LIMIT_MS = 30 * 60_000
const INSTALL_LIMIT_MS = 5 * 60_000

/** Builds the programs of a control plane where they are missing. Says on standard error what it does, and why it failed. */
export function buildKubernetes(): void {
  const { status, error } = spawnSync(script('find-tools'), CONTROL_PLANE, {
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: BUILD_LIMIT_MS,
  })
  if (status === 0) return
  const reason = error === undefined ? 'see above' : error.message
  console.error(`npm test: no programs of Kubernetes (${reason}): tests of the control plane will fail`)
}

/** Why tests with real pods cannot run here. Undefined: they can. Where they are asked for, installs what they need. */
export function whyNoPods(): string | undefined {
  if (process.env['KORPROXY_TEST_PODS'] !== '1') return 'KORPROXY_TEST_PODS=1 is not set'
  if (process.getuid?.() !== 0) return 'not root'
  const install = spawnSync(script('install-deps'), { stdio: ['ignore', 2, 2], timeout: INSTALL_LIMIT_MS })
  const host = spawnSync(script('check-host'), { encoding: 'utf8' })
  if (host.status === 0) return undefined
  const missing = `${host.error?.message ?? ''}${host.stdout}`.trim().replaceAll('\n', '; ')
  return install.status === 0 ? missing : `${missing}; install-deps failed`
}

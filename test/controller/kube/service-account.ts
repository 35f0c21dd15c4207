import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { ControlPlane } from '../../helpers/control-plane.ts'

interface Rule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
  readonly resourceNames?: readonly string[]
}

/** @returns the path of a kubeconfig of a service account that may do this, in its namespace, and nothing more. */
export async function serviceAccount(
  t: Test,
  plane: ControlPlane,
  namespace: string,
  rules: readonly Rule[],
): Promise<string> {
  const role = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name: 'limited' } }
  const subjects = [{ kind: 'ServiceAccount', name: 'limited', namespace }]
  const items = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'limited' } },
    { ...role, kind: 'Role', rules },
    {
      ...role,
      kind: 'RoleBinding',
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'limited' },
      subjects,
    },
  ]
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
  const must = async (args: readonly string[], stdin?: string): Promise<string> => {
    const { code, stdout, stderr } = await plane.kubectl(args, stdin)
    if (code !== 0) throw new Error(stderr)
    return stdout.trim()
  }
  await must(['-n', namespace, 'apply', '-f', '-'], list)
  const token = await must(['-n', namespace, 'create', 'token', 'limited'])
  const config = JSON.parse(await must(['config', 'view', '--raw', '--minify', '--flatten', '--output=json']))
  const path = join(t.testdir({}), 'kubeconfig')
  const user = config.contexts[0].context.user
  writeFileSync(path, JSON.stringify({ ...config, users: [{ name: user, user: { token } }] }))
  return path
}

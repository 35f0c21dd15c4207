import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { type ControlPlane, controlPlane } from '../helpers/control-plane.ts'
import { scratch } from '../helpers/stack.ts'
import { type CliRun, runCli } from './run-cli.ts'

/** A namespace of a real API server, and somebody who uses the command line there. */
export interface ClusterUser {
  readonly plane: ControlPlane
  readonly namespace: string
  /** Of an administrator; the namespace is the one of its context. */
  readonly kubeconfig: string
  /** Runs the command line with this kubeconfig. */
  cli(...args: readonly string[]): Promise<CliRun>
  apply(manifests: string): Promise<void>
  kubectl(...args: readonly string[]): Promise<string>
  /** Writes the status of an object as a controller does; `{generation}` in it is the present one. */
  writeStatus(object: string, status: object): Promise<void>
  /** A kubeconfig of a ServiceAccount with these rights in the namespace and no others. */
  userWith(rules: readonly string[]): Promise<string>
}

export async function clusterUser(t: Test): Promise<ClusterUser> {
  const plane = await controlPlane()
  const namespace = await plane.namespace(t)
  const folder = scratch(t)
  const must = async (args: readonly string[], stdin?: string): Promise<string> => {
    const { code, stdout, stderr } = await plane.kubectl(args, stdin)
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`)
    return stdout
  }
  const kubectl = (...args: readonly string[]): Promise<string> => must(['--namespace', namespace, ...args])
  const config = JSON.parse(await must(['config', 'view', '--raw', '--minify', '--flatten', '--output=json']))
  const write = (name: string, user: object): string => {
    const path = join(folder, name)
    const [{ cluster }] = config.clusters
    const context = { cluster: 'test', user: 'test', namespace }
    const kubeconfig = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'test', cluster }],
      users: [{ name: 'test', user }],
      contexts: [{ name: 'here', context }],
      'current-context': 'here',
    }
    writeFileSync(path, JSON.stringify(kubeconfig))
    return path
  }
  const kubeconfig = write('admin', config.users[0].user)
  return {
    plane,
    namespace,
    kubeconfig,
    kubectl,
    cli: (...args) => runCli([...args, '--kubeconfig', kubeconfig]),
    apply: async (manifests) => {
      await must(['--namespace', namespace, 'apply', '--server-side', '--filename', '-'], manifests)
    },
    writeStatus: async (object, status) => {
      const generation = await kubectl('get', object, '--output=jsonpath={.metadata.generation}')
      const patch = JSON.stringify({ status }).replaceAll('"{generation}"', generation)
      await kubectl('patch', object, '--subresource=status', '--type=merge', '--patch', patch)
    },
    userWith: async (rules) => {
      await kubectl('create', 'serviceaccount', 'somebody')
      for (const [at, rule] of rules.entries()) {
        await kubectl('create', 'role', `some-${at}`, ...rule.split(' '))
        await kubectl(
          'create',
          'rolebinding',
          `some-${at}`,
          `--role=some-${at}`,
          `--serviceaccount=${namespace}:somebody`,
        )
      }
      return write('somebody', { token: (await kubectl('create', 'token', 'somebody')).trim() })
    },
  }
}

const SINCE = '2026-11-21T10:00:00Z'

/** A condition as the controller writes it, of the present generation if no other is given. */
export function condition(
  type: string,
  status: 'True' | 'False' | 'Unknown',
  reason: string,
  message = '',
): Record<string, unknown> {
  return { type, status, reason, message, observedGeneration: '{generation}', lastTransitionTime: SINCE }
}

/** The status of an object that all of three gateways run. */
export function liveStatus(fields: object = {}): Record<string, unknown> {
  return {
    observedGeneration: '{generation}',
    programmedGateways: '3/3',
    conditions: [
      condition('Accepted', 'True', 'Valid'),
      condition('ResolvedRefs', 'True', 'ResolvedRefs'),
      condition('Programmed', 'True', 'Programmed', '3/3 gateways run it.'),
      condition('Ready', 'True', 'Ready'),
    ],
    ...fields,
  }
}

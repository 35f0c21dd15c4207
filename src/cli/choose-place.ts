import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { CliCommand, CommandContext } from './cli-command.ts'

/** Where a command looks: at a folder of manifests, at a running gateway, or at the objects of a cluster. */
export type Place = 'Folder' | 'Gateway' | 'Cluster'

/** Options that say by being given where a command looks. */
const SIGNS: readonly (readonly [place: Place, option: string, flag: string])[] = [
  ['Folder', 'config', '--config'],
  ['Gateway', 'server', '--server'],
  ['Gateway', 'token', '--token'],
  ['Gateway', 'stateDir', '--state-dir'],
  ['Cluster', 'kubeconfig', '--kubeconfig'],
  ['Cluster', 'context', '--context'],
  ['Cluster', 'allNamespaces', '--all-namespaces'],
]

export interface PlaceChoice {
  readonly environment: CommandContext['environment']
  /** Where it looks on a machine without any cluster. */
  readonly otherwise: 'Folder' | 'Gateway'
}

/** The end of descriptions of commands that can look at more than one place. */
export const PLACE_RULE = {
  Folder:
    'Without --config the cluster of the current context, if this machine has a kubeconfig or is a pod; else the current folder.',
  Gateway:
    'Without --server the cluster of the current context, if this machine has a kubeconfig or is a pod; else the gateway of this machine.',
} as const

/**
 * What the options say; else KORPROXY_SERVER; else the cluster, where one is configured; else this machine. Two places at once
 * are a wrong command line.
 */
export function choosePlace(command: CliCommand, { environment, otherwise }: PlaceChoice): Place {
  const signs = SIGNS.filter(([, option]) => command.getOptionValueSource(option) === 'cli')
  // Where no gateway is asked, a state directory is that of the one that serves the folder.
  const given = signs.map(([place, ...names]) => [place === 'Gateway' ? otherwise : place, ...names] as const)
  const [first] = given
  const other = given.find(([place]) => place !== first?.[0])
  if (first !== undefined && other !== undefined) {
    command.error(`error: ${first[2]} and ${other[2]} are of different places; give one of them`)
  }
  if (first !== undefined) return first[0]
  if (command.getOptionValueSource('server') === 'env') return 'Gateway'
  return hasCluster(environment) ? 'Cluster' : otherwise
}

/** Whether kubectl would know where to go; nobody is asked. */
function hasCluster(environment: CommandContext['environment']): boolean {
  const home = environment['HOME'] ?? environment['USERPROFILE'] ?? ''
  const kubeconfig =
    (environment['KUBECONFIG'] ?? '') !== '' || (home !== '' && existsSync(join(home, '.kube', 'config')))
  return kubeconfig || (environment['KUBERNETES_SERVICE_HOST'] ?? '') !== ''
}

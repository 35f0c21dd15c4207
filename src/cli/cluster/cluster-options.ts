import { Option } from 'commander'
import type { CliCommand } from '../cli-command.ts'

export interface ClusterFlags {
  readonly kubeconfig?: string
  readonly context?: string
  /** Absent: the one of the context. */
  readonly namespace?: string
  readonly allNamespaces?: true
}

/** `--kubeconfig`, `--context` and `-n` of commands that may look at a cluster, as kubectl has them. */
export function addClusterOptions(command: CliCommand): CliCommand {
  return command
    .option(
      '--kubeconfig <path>',
      'kubeconfig file; absent: KUBECONFIG, ~/.kube/config, or the ServiceAccount of the pod',
    )
    .option('--context <name>', 'context of the kubeconfig; absent: the current one')
    .addOption(
      new Option('-n, --namespace <name>', 'namespace; absent: that of the context, or `default` without a cluster'),
    )
}

/** `-A`, for commands that list. */
export function allNamespacesOption(): Option {
  return new Option('-A, --all-namespaces', 'all namespaces of the cluster').conflicts('namespace')
}

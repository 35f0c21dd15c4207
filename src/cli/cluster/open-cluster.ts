import { ApiClient } from '#controller/kube/api-client.ts'
import { isRefusal } from '#controller/kube/api-error.ts'
import { openConnection } from '#controller/kube/connection.ts'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { ClusterFlags } from './cluster-options.ts'

/** A cluster as somebody may use it: with the rights of the kubeconfig and no others. */
export interface Cluster {
  readonly client: ApiClient
  /** Name of the context. */
  readonly context: string
  /** Of objects that name none. */
  readonly namespace: string
  /** What is listed; undefined: all namespaces. */
  readonly listed: string | undefined
}

/** @throws KorProxyError KP-AUTH-011 (no right), KP-SYS-530 (refused), KP-SYS-531 (out of reach) */
export async function withCluster<Result>(
  { kubeconfig, context, namespace, allNamespaces }: ClusterFlags,
  work: (cluster: Cluster) => Promise<Result>,
): Promise<Result> {
  const connection = openConnection({
    ...(kubeconfig === undefined ? {} : { kubeconfigPath: kubeconfig }),
    ...(context === undefined ? {} : { context }),
  })
  const client = new ApiClient(connection)
  const own = namespace ?? connection.namespace
  try {
    return await work({
      client,
      context: connection.context,
      namespace: own,
      listed: allNamespaces === true ? undefined : own,
    })
  } catch (error) {
    throw notAllowed(error) ?? error
  } finally {
    await client.close()
  }
}

/** KP-AUTH-011 for what RBAC forbids; admission policies forbid too, but for other reasons. */
export function notAllowed(error: unknown): KorProxyError | undefined {
  if (!isRefusal(error, 403)) return undefined
  const [, refused] = /is forbidden: (User .*)$/s.exec(String(error.details['message'])) ?? []
  return refused === undefined ? undefined : new KorProxyError('KP-AUTH-011', { message: refused }, { cause: error })
}

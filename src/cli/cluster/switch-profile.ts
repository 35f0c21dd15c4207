import { setTimeout as wait } from 'node:timers/promises'
import { resourceOfKind } from '#controller/kube/api-resource.ts'
import type { ObservedObject } from '#controller/sources/observed-objects.ts'
import { KorProxyError } from '#errors/korproxy-error.ts'
import { API_VERSION } from '#resources/kind-definition.ts'
import { suggestion } from '#resources/suggest.ts'
import { listObjects } from './list-objects.ts'
import { type ObjectProgress, progressOf } from './object-progress.ts'
import type { Cluster } from './open-cluster.ts'
import { activeProfileOf } from './profiles.ts'

const POLL_MS = 200
const CONFIGS = resourceOfKind('GatewayConfig')

export interface SwitchedProfile {
  readonly namespace: string
  readonly profile: string
  /** What was active before. */
  readonly before: string
  /** The GatewayConfig that says so now. */
  readonly config: string
  /** Whoever else writes this GatewayConfig, and may set it back: `Helm`. */
  readonly managedBy?: string
  /** How far the change has come; absent when nobody waited for it. */
  readonly progress?: ConfigProgress
}

type ConfigProgress = Pick<ObjectProgress, 'state' | 'stage' | 'message' | 'gateways'>

/**
 * Makes a profile the active one of the namespace: `activeProfileRef` of the GatewayConfig that counts, which is made if there is none.
 * @throws KorProxyError KP-CONF-219 for a name that is no profile, KP-CONF-224 when no GatewayConfig counts
 */
export async function switchProfile(cluster: Cluster, profile: string, waitMs: number): Promise<SwitchedProfile> {
  const { client, namespace } = cluster
  const objects = await listObjects({ client, listed: namespace }, ['RoutingProfile', 'GatewayConfig'])
  checkName(objects, profile)
  const config = effectiveConfig(objects, namespace)
  const activeProfileRef = { name: profile }
  const written =
    config === undefined
      ? await client.create(
          { resource: CONFIGS, namespace },
          {
            apiVersion: API_VERSION,
            kind: 'GatewayConfig',
            metadata: { name: 'default', namespace },
            spec: { activeProfileRef },
          },
        )
      : await client.mergePatch({ resource: CONFIGS, namespace, name: config.ref.name }, { spec: { activeProfileRef } })
  const managedBy = config?.resource?.metadata.labels['app.kubernetes.io/managed-by']
  const { name, generation = 0 } = written.metadata
  return {
    namespace,
    profile,
    before: activeProfileOf(objects, namespace),
    config: name,
    ...(managedBy !== undefined && { managedBy }),
    ...(waitMs > 0 && { progress: await followConfig(cluster, { name, generation }, waitMs) }),
  }
}

function checkName(objects: readonly ObservedObject[], profile: string): void {
  const profiles = objects.filter(({ kind }) => kind === 'RoutingProfile').map(({ ref }) => ref.name)
  // A namespace without one has it by implication.
  const known = [...new Set([...profiles, 'default'])]
  if (known.includes(profile)) return
  throw new KorProxyError('KP-CONF-219', { profile: `${profile}${suggestion(profile, known)}` })
}

/** As the compiler has it: the one named `default` counts, or the only one. */
function effectiveConfig(objects: readonly ObservedObject[], namespace: string): ObservedObject | undefined {
  const configs = objects.filter(({ kind }) => kind === 'GatewayConfig')
  const named = configs.find(({ ref }) => ref.name === 'default')
  if (named !== undefined || configs.length < 2) return named ?? configs[0]
  const names = configs.map(({ ref }) => ref.name).join(', ')
  throw new KorProxyError('KP-CONF-224', {
    message: `Namespace ${namespace} has the GatewayConfigs ${names}, none of them named default: none of them counts.`,
  })
}

async function followConfig(
  { client, namespace }: Cluster,
  { name, generation }: { readonly name: string; readonly generation: number },
  waitMs: number,
): Promise<ConfigProgress> {
  const endMs = performance.now() + waitMs
  for (;;) {
    const configs = await listObjects({ client, listed: namespace }, ['GatewayConfig'])
    const config = configs.find(({ ref }) => ref.name === name)
    if (config === undefined) throw new KorProxyError('KP-CONF-207', { message: `GatewayConfig ${name} is gone` })
    const { state, stage, message, gateways } = progressOf(config)
    const isThere = config.generation >= generation && state === 'live'
    if (isThere || performance.now() + POLL_MS > endMs) {
      return {
        state,
        ...(state !== 'live' && stage !== undefined && { stage }),
        ...(state !== 'live' && message !== undefined && { message }),
        ...(gateways !== undefined && { gateways }),
      }
    }
    await wait(POLL_MS)
  }
}

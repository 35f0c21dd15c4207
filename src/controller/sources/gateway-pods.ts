import { isRecord } from '#resources/finding.ts'
import type { WatchingClient } from '../kube/api-client.ts'
import { isRefusal } from '../kube/api-error.ts'
import { ENDPOINT_SLICES } from '../kube/api-resource.ts'
import type { KubeObject } from '../kube/kube-object.ts'
import { Reflector } from '../kube/reflector.ts'
import type { TimeAndChance } from '../kube/time-and-chance.ts'

export interface GatewayPodsOptions {
  readonly client: WatchingClient
  readonly world: TimeAndChance
  /** Of the gateways. */
  readonly namespace: string
  /** Service of the gateways. */
  readonly service: string
  readonly onChange: () => void
  readonly onTrouble: (error: unknown) => void
}

/**
 * The pods behind the Service of the gateways, ready or not, as its EndpointSlices name them: a gateway that never connects is missed.
 * @see https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/
 */
export class GatewayPods {
  readonly #reflector: Reflector
  #forbidden = false

  constructor({ client, world, namespace, service, onChange, onTrouble }: GatewayPodsOptions) {
    this.#reflector = new Reflector({
      client,
      world,
      address: { resource: ENDPOINT_SLICES, namespace },
      query: { labelSelector: `kubernetes.io/service-name=${service}` },
      listener: {
        changed: onChange,
        synced: onChange,
        counted: () => {},
        troubled: (error) => {
          // An older Role does without it: one word is enough.
          const isForbidden = isRefusal(error, 403)
          if (!isForbidden || !this.#forbidden) onTrouble(error)
          this.#forbidden ||= isForbidden
        },
      },
    })
  }

  /** Until the signal is aborted; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#reflector.run(signal)
  }

  /** Names of pods that should be gateways: not those that are ending. Undefined where that is not known, or there is no such Service. */
  current(): ReadonlySet<string> | undefined {
    const slices = [...this.#reflector.objects.values()]
    return slices.length === 0 ? undefined : new Set(slices.flatMap(podsOf))
  }
}

function podsOf(slice: KubeObject): string[] {
  const endpoints = slice['endpoints']
  return (Array.isArray(endpoints) ? endpoints : []).flatMap((endpoint: unknown) => {
    const { targetRef, conditions } = isRecord(endpoint) ? endpoint : {}
    const isEnding = isRecord(conditions) && conditions['terminating'] === true
    const isPod = isRecord(targetRef) && targetRef['kind'] === 'Pod' && typeof targetRef['name'] === 'string'
    return isPod && !isEnding ? [String(targetRef['name'])] : []
  })
}

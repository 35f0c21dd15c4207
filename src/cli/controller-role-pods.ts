import type { ApiClient } from '#controller/kube/api-client.ts'
import { SYSTEM_TIME_AND_CHANCE } from '#controller/kube/time-and-chance.ts'
import { GatewayPods } from '#controller/sources/gateway-pods.ts'
import type { ControllerRoleOptions } from './controller-role-options.ts'

/** Undefined where no Service of the gateways is named. */
export function openGatewayPods(
  { namespace, gatewayService: service, loggers }: ControllerRoleOptions,
  client: ApiClient,
  onChange: () => void,
): GatewayPods | undefined {
  if (service === undefined) return undefined
  const log = loggers.component('source')
  return new GatewayPods({
    client,
    world: SYSTEM_TIME_AND_CHANCE,
    namespace,
    service,
    onChange,
    onTrouble: (error) => log.warn({ err: error }, 'which pods should be gateways is not known'),
  })
}

import type { ApiClient } from '#controller/kube/api-client.ts'
import { reviewToken } from '#controller/kube/review-token.ts'
import { SYSTEM_TIME_AND_CHANCE } from '#controller/kube/time-and-chance.ts'
import type { CertificateListener, CertificateSource } from '#controller/publish/certificates/certificate-source.ts'
import { GatewayAuthenticator } from '#controller/publish/gateway-authenticator.ts'
import type { LeaderRelay } from '#controller/publish/leader-relay.ts'
import { type PublishServer, startPublishServer } from '#controller/publish/publish-server.ts'
import type { PublishService } from '#controller/publish/publish-service.ts'
import type { ControllerRoleOptions } from './controller-role-options.ts'

/** Tokens of gateways are made out to it. */
const AUDIENCE = 'korproxy-controller'

export interface TableServerParts {
  readonly client: ApiClient
  readonly service: PublishService
  readonly tls: CertificateSource
  readonly relay: LeaderRelay
}

/** The listener that gateways get their tables from. */
export async function startTableServer(
  { host, port, namespace, gatewayServiceAccount, loggers }: ControllerRoleOptions,
  { client, service, tls, relay }: TableServerParts,
): Promise<PublishServer> {
  const log = loggers.component('publish')
  return startPublishServer({
    host,
    port,
    certificate: tls.certificate,
    service,
    authenticator: new GatewayAuthenticator({
      world: SYSTEM_TIME_AND_CHANCE,
      review: (token) => reviewToken(client, token, AUDIENCE),
      users: new Set([`system:serviceaccount:${namespace}:${gatewayServiceAccount}`]),
    }),
    world: SYSTEM_TIME_AND_CHANCE,
    relay,
    onTrouble: (error, operation) => log.warn({ err: error, operation }, 'a gateway could not be answered'),
  })
}

export function certificateListener(
  loggers: ControllerRoleOptions['loggers'],
  use: CertificateListener['changed'],
): CertificateListener {
  const log = loggers.component('tls')
  return {
    changed: (certificate) => {
      log.info({}, 'new serving certificate')
      use(certificate)
    },
    troubled: (error) => log.warn({ err: error }, 'the serving certificate cannot be renewed; it is tried again'),
  }
}

/** As an address in a URL. */
export function hostAndPort(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

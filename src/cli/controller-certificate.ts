import { join } from 'node:path'
import type { ApiClient } from '#controller/kube/api-client.ts'
import type { TimeAndChance } from '#controller/kube/time-and-chance.ts'
import type { CertificateListener, CertificateSource } from '#controller/publish/certificates/certificate-source.ts'
import { openFileCertificate } from '#controller/publish/certificates/file-certificate.ts'
import { OwnAuthority } from '#controller/publish/certificates/own-authority.ts'

/** An own authority in a Secret, published in a ConfigMap; or files that somebody else renews. */
export type ControllerTls =
  | { readonly kind: 'OwnAuthority'; readonly secret: string; readonly configMap: string }
  | { readonly kind: 'Files'; readonly directory: string }

export interface CertificatePlace {
  readonly client: ApiClient
  readonly world: TimeAndChance
  readonly namespace: string
  /** Service of the controllers: what their certificates are for. */
  readonly service: string
  readonly podIp: string
}

/** Resolves when there is a certificate, or when the signal is aborted: then there may be none. */
export async function openCertificate(
  tls: ControllerTls,
  { client, world, namespace, service, podIp }: CertificatePlace,
  listener: CertificateListener,
  signal: AbortSignal,
): Promise<CertificateSource> {
  if (tls.kind === 'Files') {
    const file = (name: string): string => join(tls.directory, name)
    const files = { cert: file('tls.crt'), key: file('tls.key'), authorities: file('ca.crt') }
    return openFileCertificate(files, world, listener)
  }
  const long = `${service}.${namespace}`
  const authority = new OwnAuthority({
    client,
    world,
    namespace,
    secretName: tls.secret,
    configMapName: tls.configMap,
    names: [`${long}.svc`, `${long}.svc.cluster.local`, long, service, podIp],
    listener,
  })
  await authority.open(signal)
  return authority
}

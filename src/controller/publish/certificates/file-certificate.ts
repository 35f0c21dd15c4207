import { readFile } from 'node:fs/promises'
import type { TimeAndChance } from '../../kube/time-and-chance.ts'
import type { CertificateListener, CertificateSource } from './certificate-source.ts'
import type { KeyedCertificate } from './issue-certificate.ts'

/** The kubelet brings a renewed Secret within a minute or two. */
const REREAD_MS = 60_000

export interface CertificateFiles {
  readonly cert: string
  readonly key: string
  readonly authorities: string
}

/** A certificate that somebody else renews, e.g. cert-manager. @throws when a file cannot be read at the start */
export async function openFileCertificate(
  files: CertificateFiles,
  world: TimeAndChance,
  listener: CertificateListener,
): Promise<CertificateSource> {
  let content = await readFiles(files)
  let cancel = (): void => {}
  const reread = async (): Promise<void> => {
    try {
      const next = await readFiles(files)
      const changed = next.certificate.cert !== content.certificate.cert
      content = next
      if (changed) listener.changed(next.certificate)
    } catch (error) {
      // The old one serves on until it expires.
      listener.troubled(error)
    }
    again()
  }
  const again = (): void => {
    cancel = world.after(REREAD_MS, () => void reread())
  }
  again()
  return {
    get certificate() {
      return content.certificate
    },
    get authorities() {
      return content.authorities
    },
    close: () => cancel(),
  }
}

async function readFiles({
  cert,
  key,
  authorities,
}: CertificateFiles): Promise<{ readonly certificate: KeyedCertificate; readonly authorities: string }> {
  const [certText, keyText, authorityText] = await Promise.all(
    [cert, key, authorities].map((path) => readFile(path, 'utf8')),
  )
  return { certificate: { cert: certText ?? '', key: keyText ?? '' }, authorities: authorityText ?? '' }
}

import type { KeyedCertificate } from './issue-certificate.ts'

/** Where the serving certificate comes from. */
export interface CertificateSource {
  readonly certificate: KeyedCertificate
  /** Authorities that certificates of all controllers come from, PEM. */
  readonly authorities: string
  close(): void
}

export interface CertificateListener {
  /** New connections should get this one. */
  changed(certificate: KeyedCertificate): void
  troubled(error: unknown): void
}

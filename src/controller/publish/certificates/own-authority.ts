import { isRecord } from '#resources/finding.ts'
import type { ApiClient } from '../../kube/api-client.ts'
import { isRefusal } from '../../kube/api-error.ts'
import { type ApiResource, SECRETS } from '../../kube/api-resource.ts'
import type { KubeObject } from '../../kube/kube-object.ts'
import { pause, type TimeAndChance } from '../../kube/time-and-chance.ts'
import type { CertificateListener, CertificateSource } from './certificate-source.ts'
import { type Authority, issueAuthority, issueServerCertificate, type KeyedCertificate } from './issue-certificate.ts'

const DAY_MS = 86_400_000
const AUTHORITY_LIFE_MS = 365 * DAY_MS
const SERVER_LIFE_MS = 30 * DAY_MS
/** Renewed when this part of the life is left. */
const RENEW_PART = 1 / 3
/** Clocks of gateways may be behind. */
const BACKDATE_MS = 5 * 60_000
/** A new authority signs once every gateway has it: the kubelet takes minutes. */
const PROPAGATION_MS = 3_600_000
const CHECK_MS = 600_000
const RETRY_MS = 5_000

const CONFIG_MAPS: ApiResource = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap' }
const BUNDLE_KEY = 'ca.crt'
const AUTHORITIES_KEY = 'authorities.json'

export interface OwnAuthorityOptions {
  readonly client: Pick<ApiClient, 'get' | 'create' | 'update' | 'apply'>
  readonly world: TimeAndChance
  readonly namespace: string
  /** Secret with the keys of the authorities. */
  readonly secretName: string
  /** ConfigMap from which gateways mount the certificates of the authorities. */
  readonly configMapName: string
  /** What the serving certificate is for: DNS names and IP addresses. */
  readonly names: readonly string[]
  readonly listener: CertificateListener
}

interface KeptAuthority extends Authority {
  /** Unix time, ms. */
  readonly issuedAtMs: number
  readonly expiresAtMs: number
}

/**
 * The controllers' own certificate authority, in a Secret. Every replica signs a certificate for itself; a new authority joins long
 * before the old one ends, and signs only when all gateways know it.
 */
export class OwnAuthority implements CertificateSource {
  readonly #options: OwnAuthorityOptions
  #authorities: readonly KeptAuthority[] = []
  #issued: { readonly certificate: KeyedCertificate; readonly signer: string; readonly expiresAtMs: number } | undefined
  #cancel: () => void = () => {}
  #closed = false

  constructor(options: OwnAuthorityOptions) {
    this.#options = options
  }

  get certificate(): KeyedCertificate {
    if (this.#issued === undefined) throw new Error('not opened')
    return this.#issued.certificate
  }

  get authorities(): string {
    return this.#authorities.map(({ cert }) => cert).join('')
  }

  /** Resolves when there is a certificate; tries until then, or until the signal is aborted. */
  async open(signal?: AbortSignal): Promise<void> {
    const isOver = (): boolean => signal?.aborted === true
    while (!isOver()) {
      try {
        await this.#renew()
        return this.#checkLater()
      } catch (error) {
        if (isOver()) return
        this.#options.listener.troubled(error)
        await pause(this.#options.world, RETRY_MS, signal)
      }
    }
  }

  close(): void {
    this.#closed = true
    this.#cancel()
  }

  #checkLater(): void {
    if (this.#closed) return
    this.#cancel = this.#options.world.after(CHECK_MS, () => {
      this.#renew()
        .catch((error: unknown) => this.#options.listener.troubled(error))
        .finally(() => this.#checkLater())
    })
  }

  async #renew(): Promise<void> {
    const nowMs = this.#options.world.unixTime()
    this.#authorities = await this.#keepAuthorities(nowMs)
    // Every time: somebody may have deleted it.
    await this.#publishBundle()
    const signer = signerAmong(this.#authorities, nowMs)
    if (signer === undefined) throw new Error('no certificate authority is valid')
    const issued = this.#issued
    const isDue = issued === undefined || issued.expiresAtMs - nowMs < SERVER_LIFE_MS * RENEW_PART
    if (!isDue && issued.signer === signer.cert) return
    const expiresAtMs = Math.min(nowMs + SERVER_LIFE_MS, signer.expiresAtMs)
    const validity = { notBeforeMs: nowMs - BACKDATE_MS, notAfterMs: expiresAtMs }
    const certificate = await issueServerCertificate(this.#options.names, validity, signer)
    this.#issued = { certificate, signer: signer.cert, expiresAtMs }
    if (issued !== undefined) this.#options.listener.changed(certificate)
  }

  /** Those of the Secret, after it was renewed where that is due. Of several replicas that renew at once, one wins. */
  async #keepAuthorities(nowMs: number): Promise<readonly KeptAuthority[]> {
    const { client, namespace, secretName } = this.#options
    const address = { resource: SECRETS, namespace, name: secretName }
    let secret: KubeObject | undefined
    try {
      secret = await client.get(address)
    } catch (error) {
      if (!isRefusal(error, 404)) throw error
    }
    const kept = readAuthorities(secret).filter(({ expiresAtMs }) => expiresAtMs > nowMs)
    const newest = kept[0]
    if (newest !== undefined && newest.expiresAtMs - nowMs > AUTHORITY_LIFE_MS * RENEW_PART) return kept
    const renewed = [await this.#newAuthority(nowMs), ...kept]
    const body = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: secret?.metadata ?? { name: secretName, namespace },
      type: 'Opaque',
      data: {
        [BUNDLE_KEY]: encode(renewed.map(({ cert }) => cert).join('')),
        [AUTHORITIES_KEY]: encode(JSON.stringify(renewed)),
      },
    }
    try {
      if (secret === undefined) await client.create({ resource: SECRETS, namespace }, body)
      else await client.update(address, body)
      return renewed
    } catch (error) {
      // Another replica was faster: its authority counts.
      if (isRefusal(error, 409)) return this.#keepAuthorities(nowMs)
      throw error
    }
  }

  async #newAuthority(nowMs: number): Promise<KeptAuthority> {
    const expiresAtMs = nowMs + AUTHORITY_LIFE_MS
    const commonName = `KorProxy controller ${this.#options.namespace} ${new Date(nowMs).toISOString().slice(0, 10)}`
    const authority = await issueAuthority(commonName, { notBeforeMs: nowMs - BACKDATE_MS, notAfterMs: expiresAtMs })
    return { ...authority, issuedAtMs: nowMs, expiresAtMs }
  }

  async #publishBundle(): Promise<void> {
    const { client, namespace, configMapName } = this.#options
    await client.apply(
      { resource: CONFIG_MAPS, namespace, name: configMapName },
      { metadata: { name: configMapName, namespace }, data: { [BUNDLE_KEY]: this.authorities } },
      { fieldManager: 'korproxy-controller' },
    )
  }
}

/** The newest that everybody knows by now; where there is none, the newest of all. */
function signerAmong(authorities: readonly KeptAuthority[], nowMs: number): KeptAuthority | undefined {
  return authorities.find(({ issuedAtMs }) => nowMs - issuedAtMs >= PROPAGATION_MS) ?? authorities.at(-1)
}

/** Newest first. What cannot be read counts as none: a new authority takes its place. */
function readAuthorities(secret: KubeObject | undefined): KeptAuthority[] {
  const data = isRecord(secret?.['data']) ? secret['data'] : {}
  const encoded = data[AUTHORITIES_KEY]
  if (typeof encoded !== 'string') return []
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(encoded, 'base64').toString('utf8'))
  } catch {
    return []
  }
  return Array.isArray(value) ? value.filter(isKept) : []
}

function isKept(value: unknown): value is KeptAuthority {
  if (!isRecord(value)) return false
  const texts = [value['cert'], value['key'], value['commonName']]
  const times = [value['issuedAtMs'], value['expiresAtMs']]
  return texts.every((text) => typeof text === 'string') && times.every((time) => typeof time === 'number')
}

function encode(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64')
}

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto'
import { isIPv4, isIPv6 } from 'node:net'
import { promisify } from 'node:util'
import { bits, boolean, context, integer, objectIdentifier, octets, sequence, setOf, time, utf8 } from './der.ts'

/** A certificate and the key that belongs to it, PEM. */
export interface KeyedCertificate {
  readonly cert: string
  readonly key: string
}

/** A certificate that may sign others. */
export interface Authority extends KeyedCertificate {
  readonly commonName: string
}

export interface Validity {
  /** Unix time, ms. */
  readonly notBeforeMs: number
  readonly notAfterMs: number
}

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2'
const COMMON_NAME = '2.5.4.3'
const SUBJECT_KEY_IDENTIFIER = '2.5.29.14'
const KEY_USAGE = '2.5.29.15'
const SUBJECT_ALT_NAME = '2.5.29.17'
const BASIC_CONSTRAINTS = '2.5.29.19'
const AUTHORITY_KEY_IDENTIFIER = '2.5.29.35'
const EXTENDED_KEY_USAGE = '2.5.29.37'
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
const DNS_NAME = 2
const IP_ADDRESS = 7

/** A self-signed authority that signs servers only. */
export async function issueAuthority(commonName: string, validity: Validity): Promise<Authority> {
  const keys = await generateKeys()
  const keyId = identifierOf(keys.publicKey)
  const extensions = [
    extension(BASIC_CONSTRAINTS, 'Critical', sequence(boolean(), integer(Buffer.of(0)))),
    // keyCertSign, cRLSign
    extension(KEY_USAGE, 'Critical', bits(Buffer.of(0b0000_0110), 1)),
    extension(SUBJECT_KEY_IDENTIFIER, 'Plain', octets(keyId)),
  ]
  const issuer = { commonName, key: keys.privateKey }
  const cert = build({ commonName, publicKey: keys.publicKey, validity, extensions, issuer })
  return { commonName, cert, key: pemOfKey(keys.privateKey) }
}

/** A certificate of a TLS server for these DNS names and IP addresses. */
export async function issueServerCertificate(
  names: readonly string[],
  validity: Validity,
  authority: Authority,
): Promise<KeyedCertificate> {
  const keys = await generateKeys()
  const signer = createPrivateKey(authority.key)
  const extensions = [
    extension(BASIC_CONSTRAINTS, 'Critical', sequence()),
    // digitalSignature
    extension(KEY_USAGE, 'Critical', bits(Buffer.of(0b1000_0000), 7)),
    extension(EXTENDED_KEY_USAGE, 'Plain', sequence(objectIdentifier(SERVER_AUTH))),
    extension(SUBJECT_ALT_NAME, 'Plain', sequence(...names.map(generalName))),
    extension(SUBJECT_KEY_IDENTIFIER, 'Plain', octets(identifierOf(keys.publicKey))),
    extension(
      AUTHORITY_KEY_IDENTIFIER,
      'Plain',
      sequence(context(0, 'Primitive', identifierOf(createPublicKey(signer)))),
    ),
  ]
  const issuer = { commonName: authority.commonName, key: signer }
  const cert = build({ commonName: names[0] ?? '', publicKey: keys.publicKey, validity, extensions, issuer })
  return { cert, key: pemOfKey(keys.privateKey) }
}

interface Parts {
  readonly commonName: string
  readonly publicKey: KeyObject
  readonly validity: Validity
  readonly extensions: readonly Buffer[]
  readonly issuer: { readonly commonName: string; readonly key: KeyObject }
}

/** @see https://www.rfc-editor.org/rfc/rfc5280#section-4.1 */
function build({ commonName, publicKey, validity, extensions, issuer }: Parts): string {
  const algorithm = sequence(objectIdentifier(ECDSA_WITH_SHA256))
  const content = sequence(
    // Version 3.
    context(0, 'Constructed', integer(Buffer.of(2))),
    integer(serialNumber()),
    algorithm,
    distinguishedName(issuer.commonName),
    sequence(time(validity.notBeforeMs), time(validity.notAfterMs)),
    distinguishedName(commonName),
    publicKey.export({ type: 'spki', format: 'der' }),
    context(3, 'Constructed', sequence(...extensions)),
  )
  const signature = sign('sha256', content, { key: issuer.key, dsaEncoding: 'der' })
  return pemOf(sequence(content, algorithm, bits(signature)))
}

/** Positive, random, 20 bytes at most. @see https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.2 */
function serialNumber(): Buffer {
  return Buffer.concat([Buffer.of(0x01), randomBytes(15)])
}

function distinguishedName(commonName: string): Buffer {
  return sequence(setOf(sequence(objectIdentifier(COMMON_NAME), utf8(commonName))))
}

function extension(identifier: string, importance: 'Critical' | 'Plain', content: Buffer): Buffer {
  const critical = importance === 'Critical' ? [boolean()] : []
  return sequence(objectIdentifier(identifier), ...critical, octets(content))
}

function generalName(name: string): Buffer {
  if (isIPv4(name)) return context(IP_ADDRESS, 'Primitive', Buffer.from(name.split('.').map(Number)))
  if (isIPv6(name)) return context(IP_ADDRESS, 'Primitive', ipv6Bytes(name))
  return context(DNS_NAME, 'Primitive', Buffer.from(name, 'ascii'))
}

function ipv6Bytes(address: string): Buffer {
  // The URL parser writes addresses in full groups but for one `::`.
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [head = '', tail] = canonical.split('::')
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'))
  const [left, right] = [groups(head), groups(tail ?? '')]
  const zeros = tail === undefined ? [] : Array<string>(8 - left.length - right.length).fill('0')
  return Buffer.from([...left, ...zeros, ...right].map((group) => group.padStart(4, '0')).join(''), 'hex')
}

async function generateKeys(): Promise<{ readonly publicKey: KeyObject; readonly privateKey: KeyObject }> {
  return promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })
}

/** @see https://www.rfc-editor.org/rfc/rfc7093#section-2 */
function identifierOf(publicKey: KeyObject): Buffer {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest()
    .subarray(0, 20)
}

function pemOfKey(key: KeyObject): string {
  return String(key.export({ type: 'pkcs8', format: 'pem' }))
}

function pemOf(certificate: Buffer): string {
  const lines = certificate.toString('base64').replaceAll(/.{64}(?=.)/g, '$&\n')
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
}

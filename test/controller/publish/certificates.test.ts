import { X509Certificate } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { connect, createServer, type TLSSocket } from 'node:tls'
import t from 'tap'
import { openFileCertificate } from '../../../src/controller/publish/certificates/file-certificate.ts'
import {
  issueAuthority,
  issueServerCertificate,
} from '../../../src/controller/publish/certificates/issue-certificate.ts'
import { OwnAuthority } from '../../../src/controller/publish/certificates/own-authority.ts'
import { scratch } from '../../helpers/stack.ts'
import { ManualTime } from '../kube/manual-time.ts'
import { FakeObjects } from './fake-objects.ts'

const NOW_MS = Date.UTC(2026, 10, 21, 12, 0, 0)
const DAY_MS = 86_400_000
const VALIDITY = { notBeforeMs: NOW_MS - DAY_MS, notAfterMs: NOW_MS + 30 * DAY_MS }
const NAMES = ['korproxy-controller.korproxy.svc', '10.1.2.3', 'fd00::1:2']

t.test('R4.2 certificates say what they are for, and OpenSSL takes them', async (t) => {
  const authority = await issueAuthority('Authority ü', VALIDITY)
  const server = await issueServerCertificate(NAMES, VALIDITY, authority)
  const [root, leaf] = [new X509Certificate(authority.cert), new X509Certificate(server.cert)]
  t.equal(root.ca, true)
  t.equal(root.verify(root.publicKey), true)
  t.equal(root.subject, 'CN=Authority ü')
  t.equal(leaf.ca, false)
  t.equal(leaf.verify(root.publicKey), true)
  t.equal(leaf.checkIssued(root), true)
  t.equal(
    leaf.subjectAltName,
    'DNS:korproxy-controller.korproxy.svc, IP Address:10.1.2.3, IP Address:FD00:0:0:0:0:0:1:2',
  )
  t.equal(leaf.checkHost('korproxy-controller.korproxy.svc'), 'korproxy-controller.korproxy.svc')
  t.equal(leaf.checkHost('example.com'), undefined)
  t.equal(leaf.checkIP('fd00::1:2'), 'fd00::1:2')
  t.strictSame(leaf.keyUsage, ['1.3.6.1.5.5.7.3.1'])
  t.equal(leaf.validToDate.toISOString(), '2026-12-21T12:00:00.000Z')
  t.equal(leaf.serialNumber.length, 32)
  const long = await issueAuthority('Long', { notBeforeMs: NOW_MS, notAfterMs: Date.UTC(2055, 0, 1) })
  t.equal(new X509Certificate(long.cert).validToDate.toISOString(), '2055-01-01T00:00:00.000Z')
})

t.test('R4.2 a TLS client that trusts the authority trusts the server, under its names only', async (t) => {
  const now = { notBeforeMs: Date.now() - DAY_MS, notAfterMs: Date.now() + DAY_MS }
  const authority = await issueAuthority('Authority', now)
  const server = createServer(await issueServerCertificate(['controller.test'], now, authority))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const shake = (servername: string, ca: string): Promise<string> =>
    new Promise((resolve) => {
      const socket: TLSSocket = connect({ host: '127.0.0.1', port, servername, ca }, () => {
        socket.destroy()
        resolve('trusted')
      })
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
    })
  t.equal(await shake('controller.test', authority.cert), 'trusted')
  t.equal(await shake('other.test', authority.cert), 'ERR_TLS_CERT_ALTNAME_INVALID')
  const other = await issueAuthority('Authority', now)
  t.match(await shake('controller.test', other.cert), /CERT|UNABLE/)
})

function open(
  objects: FakeObjects,
  world: ManualTime,
): { authority: OwnAuthority; changes: () => number; troubles: unknown[] } {
  let changes = 0
  const troubles: unknown[] = []
  const authority = new OwnAuthority({
    client: objects,
    world,
    namespace: 'korproxy',
    secretName: 'ca',
    configMapName: 'ca',
    names: ['controller'],
    listener: {
      changed: () => {
        changes += 1
      },
      troubled: (error) => troubles.push(error),
    },
  })
  return { authority, changes: () => changes, troubles }
}

const verified = (cert: string, bundle: string): boolean => {
  const roots = bundle.split(/(?<=-----END CERTIFICATE-----\n)/).filter((pem) => pem !== '')
  const leaf = new X509Certificate(cert)
  return roots.some(
    (pem) => leaf.checkIssued(new X509Certificate(pem)) && leaf.verify(new X509Certificate(pem).publicKey),
  )
}

t.test('R4.2 replicas share one authority, and each signs for itself', async (t) => {
  const [objects, world] = [new FakeObjects(), new ManualTime()]
  const [one, two] = [open(objects, world), open(objects, world)]
  await Promise.all([one.authority.open(), two.authority.open()])
  t.equal(one.authority.authorities, two.authority.authorities)
  t.not(one.authority.certificate.cert, two.authority.certificate.cert)
  t.equal(verified(one.authority.certificate.cert, two.authority.authorities), true)
  t.equal(objects.read('ConfigMap', 'ca')?.['ca.crt'], one.authority.authorities)
  t.strictSame(Object.keys(objects.read('ConfigMap', 'ca') ?? {}), ['ca.crt'], 'the key stays in the Secret')
  one.authority.close()
  two.authority.close()
})

t.test('R4.2 an empty Secret, as a chart makes it, is filled', async (t) => {
  const [objects, world] = [new FakeObjects(), new ManualTime()]
  await objects.create(
    { resource: { group: '', version: 'v1', plural: 'secrets', kind: 'Secret' } },
    { kind: 'Secret', metadata: { name: 'ca' } },
  )
  const { authority } = open(objects, world)
  await authority.open()
  t.equal(verified(authority.certificate.cert, authority.authorities), true)
  authority.close()
})

t.test('R4.2 certificates are renewed before they end, and an authority joins before it signs', async (t) => {
  const [objects, world] = [new FakeObjects(), new ManualTime()]
  const { authority, changes, troubles } = open(objects, world)
  await authority.open()
  const [first, bundle] = [authority.certificate.cert, authority.authorities]
  await world.advance(19 * DAY_MS)
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.equal(authority.certificate.cert, first)
  for (let day = 0; day < 3; day += 1) {
    await world.advance(DAY_MS)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  t.ok(changes() > 0)
  t.not(authority.certificate.cert, first)
  t.equal(authority.authorities, bundle)

  const early = open(objects, new LaterTime(250 * DAY_MS))
  await early.authority.open()
  t.equal(early.authority.authorities.endsWith(bundle), true, 'the old one is still trusted')
  t.not(early.authority.authorities, bundle)
  t.equal(verified(early.authority.certificate.cert, bundle), true, 'and still signs')
  const later = open(objects, new LaterTime(250 * DAY_MS + 3_600_000))
  await later.authority.open()
  t.equal(verified(later.authority.certificate.cert, bundle), false, 'an hour later the new one does')
  t.equal(verified(later.authority.certificate.cert, early.authority.authorities), true)
  const last = open(objects, new LaterTime(366 * DAY_MS))
  await last.authority.open()
  t.notMatch(last.authority.authorities, bundle, 'the old one has ended')
  for (const { authority: open } of [early, later, last]) open.close()
  authority.close()
  t.strictSame(troubles, [])
})

class LaterTime extends ManualTime {
  readonly #laterMs: number

  constructor(laterMs: number) {
    super()
    this.#laterMs = laterMs
  }

  override unixTime(): number {
    return super.unixTime() + this.#laterMs
  }
}

t.test('R4.2 certificates from files are followed', async (t) => {
  const folder = scratch(t)
  const files = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key'), authorities: join(folder, 'ca.crt') }
  const write = (text: string): void => {
    for (const path of Object.values(files)) writeFileSync(path, text)
  }
  const world = new ManualTime()
  const seen: string[] = []
  const troubles: unknown[] = []
  const listener = {
    changed: ({ cert }: { cert: string }) => void seen.push(cert),
    troubled: (error: unknown) => void troubles.push(error),
  }
  await t.rejects(openFileCertificate(files, world, listener), { code: 'ENOENT' })
  write('one')
  const source = await openFileCertificate(files, world, listener)
  t.strictSame(source.certificate, { cert: 'one', key: 'one' })
  const pass = async (): Promise<void> => {
    await world.advance(60_000)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  write('two')
  await pass()
  t.strictSame(seen, ['two'])
  rmSync(files.key)
  await pass()
  t.strictSame(source.certificate, { cert: 'two', key: 'two' })
  t.match(troubles, [{ code: 'ENOENT' }])
  source.close()
})

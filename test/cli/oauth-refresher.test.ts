import type { ServerResponse } from 'node:http'
import t, { type Test } from 'tap'
import { OAuthRefresher } from '../../src/cli/oauth-refresher.ts'
import { refusal } from '../../src/controller/kube/api-error.ts'
import type { KubeObject } from '../../src/controller/kube/kube-object.ts'
import { withAccessTokens } from '../../src/controller/publish/access-tokens.ts'
import type { SecretObject } from '../../src/resources/resource.ts'
import { settle } from '../controller/kube/manual-time.ts'
import {
  fastWorld,
  InProcessController,
  type ManifestSet,
  manifestSet,
  readableLog,
  sha256,
  startClient,
  startController,
} from '../helpers/controller-rig.ts'
import { waitFor } from '../helpers/stack.ts'
import { startTokenServer } from '../helpers/token-server.ts'

/** One Secret as an API server keeps it. */
class FakeSecret {
  data: Record<string, string> = { refresh: 'refresh-0' }
  labels: Readonly<Record<string, string>> = {}
  version = 1
  conflicts = 0

  get secret(): SecretObject {
    const { data, version, labels } = this
    return { namespace: 'default', name: 'oauth', labels, uid: 'u', resourceVersion: String(version), data }
  }

  async get(): Promise<KubeObject> {
    const data = Object.fromEntries(
      Object.entries(this.data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
    )
    return { metadata: { name: 'oauth', uid: 'u', resourceVersion: String(this.version) }, data }
  }

  async mergePatch(_address: unknown, patch: object): Promise<KubeObject> {
    // The refresher writes whole patches.
    const { metadata, data } = patch as KubeObject & { data: Record<string, string> }
    if (this.conflicts > 0 || metadata.resourceVersion !== String(this.version)) {
      this.conflicts -= 1
      throw refusal('patch', 409, { reason: 'Conflict' })
    }
    this.labels = { ...this.labels, ...metadata.labels }
    for (const [key, value] of Object.entries(data)) this.data[key] = Buffer.from(value, 'base64').toString()
    this.version += 1
    return this.get()
  }
}

interface Rig {
  readonly secret: FakeSecret
  readonly refresher: OAuthRefresher
  readonly calls: readonly { readonly body: string }[]
  readonly log: () => string
  readonly state: { leads: boolean }
  set(): ManifestSet
}

async function startRig(t: Test, answer?: (reply: ServerResponse) => void): Promise<Rig> {
  let count = 0
  const server = await startTokenServer(t, (_call, reply) => {
    if (answer !== undefined) {
      answer(reply)
      return
    }
    count += 1
    const body = { access_token: `access-${count}`, refresh_token: `refresh-${count}`, expires_in: 3_600 }
    reply.setHeader('content-type', 'application/json')
    reply.end(JSON.stringify(body))
  })
  const secret = new FakeSecret()
  const base = await manifestSet(
    t,
    `
apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: subscription}
spec:
  provider: OpenAI
  auth:
    type: OAuth2
    oauth2: {tokenURL: "${server.url.replace('?tenant=1', '')}", clientID: app, refreshTokenRef: {name: oauth, key: refresh}}
`,
  )
  const set = (): ManifestSet => ({ ...base, secrets: [secret.secret] })
  const { logger, text } = readableLog()
  const state = { leads: true }
  const refresher = new OAuthRefresher({
    client: secret,
    world: fastWorld(1),
    sha256,
    namespace: 'default',
    leads: () => state.leads,
    set,
    written: () => {},
    log: logger.component('oauth'),
  })
  t.teardown(() => refresher.close())
  return { secret, refresher, calls: server.calls, log: text, state, set }
}

t.test('R4.2 the leader fetches the access token, keeps it in the Secret, and gateways get nothing else', async (t) => {
  const { secret, refresher, calls, set, log } = await startRig(t)
  const controller = startController(t, { finishTable: (table, known) => withAccessTokens(table, known, sha256) })
  const inProcess = new InProcessController(controller)
  controller.configure(set(), { urgent: true, highWater: {} })
  const rig = await startClient(t, { name: 'gateway-0', transport: inProcess.transport('gateway-0') })
  const account = await waitFor(
    () => rig.gateway.registry.find('default', 'subscription'),
    (found) => found !== undefined,
  )
  t.throws(() => account?.secret(), { code: 'KP-PROV-116' }, 'as long as there is none')

  refresher.takeOver()
  await waitFor(
    () => secret.data['refresh.access-token'],
    (token) => token !== undefined,
  )
  t.match(secret.data, { refresh: 'refresh-1', 'refresh.access-token': 'access-1' })
  t.match(calls, [{ body: /refresh_token=refresh-0/ }])
  t.same(secret.labels, { 'korproxy.dev/credential': 'true' }, 'all replicas watch it from now on')
  const texts: string[] = []
  inProcess.alter = (_name, text) => {
    texts.push(text)
    return text
  }
  controller.configure(set(), { urgent: true, highWater: {} })
  await waitFor(
    () => account?.credential.type === 'AccessToken' && account.credential.accessToken,
    (token) => token === 'access-1',
  )
  t.match(account?.credential, { type: 'AccessToken', accessToken: 'access-1' })
  t.notMatch(texts.join(), /refresh-[01]/)
  t.match(controller.facts()?.table.credentials['default/subscription'], { type: 'AccessToken' })
  refresher.setChanged()
  await settle()
  t.equal(calls.length, 1, 'what is valid is not fetched again')
  t.notMatch(log() + rig.log(), /access-1|refresh-1/)
})

t.test('R4.6 a new leader goes on with the tokens of the old one', async (t) => {
  const { secret, refresher, calls, log } = await startRig(t)
  secret.data = {
    refresh: 'refresh-7',
    'refresh.access-token': 'access-7',
    'refresh.expires-at': '2030-01-01T00:00:00.000Z',
    'refresh.belongs-to': sha256('refresh-7'),
  }
  refresher.takeOver()
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.strictSame(calls, [])
  t.equal(log(), '')
})

t.test('a refresh token that somebody put there by hand is used, and the old access token is not', async (t) => {
  const { secret, refresher, calls, set } = await startRig(t)
  secret.data = {
    refresh: 'by-hand',
    'refresh.access-token': 'access-7',
    'refresh.expires-at': '2030-01-01T00:00:00.000Z',
    'refresh.belongs-to': sha256('refresh-7'),
  }
  const controller = startController(t, { finishTable: (table, known) => withAccessTokens(table, known, sha256) })
  controller.configure(set(), { urgent: true, highWater: {} })
  t.match(controller.published?.credentials['default/subscription'], { accessToken: '', expiresAtMs: 0 })
  refresher.takeOver()
  await waitFor(
    () => secret.data['refresh'],
    (token) => token === 'refresh-1',
  )
  t.match(calls, [{ body: /refresh_token=by-hand/ }])
})

t.test(
  'a Secret that changed meanwhile is written once more, one with another authorisation is left alone',
  async (t) => {
    const first = await startRig(t)
    first.secret.conflicts = 1
    first.refresher.takeOver()
    await waitFor(
      () => first.secret.data['refresh'],
      (token) => token === 'refresh-1',
    )
    t.equal(first.secret.data['refresh'], 'refresh-1')

    let replace = (): void => {}
    const second = await startRig(t, (reply) => {
      replace()
      reply.setHeader('content-type', 'application/json')
      reply.end(JSON.stringify({ access_token: 'access-1', refresh_token: 'refresh-1', expires_in: 3_600 }))
    })
    replace = () => {
      second.secret.data = { refresh: 'by-hand' }
      second.secret.version += 1
    }
    second.refresher.takeOver()
    t.match(await waitFor(second.log, (text) => text.includes('could not be saved')), /could not be saved/)
    t.strictSame(second.secret.data, { refresh: 'by-hand' })
  },
)

t.test('R4.6 whoever does not lead refreshes nothing', async (t) => {
  const { refresher, calls, state } = await startRig(t)
  state.leads = false
  refresher.takeOver()
  refresher.setChanged()
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.strictSame(calls, [])
})

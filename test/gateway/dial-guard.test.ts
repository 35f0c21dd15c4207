import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { checkAddress } from '../../src/gateway/upstream/dial-guard.ts'
import { type Rig, startRig } from '../helpers/gateway-rig.ts'
import { accounts, startStack } from '../helpers/stack.ts'

/** Refused whatever the policy: nobody's provider lives there. */
const NEVER = [
  'http://169.254.169.254',
  'http://169.254.1.1',
  'http://2852039166',
  'http://0xa9fea9fe',
  'http://0xa9.0xfe.0xa9.0xfe',
  'http://0251.0376.0251.0376',
  'http://169.254.43518',
  'http://169.16689662',
  'http://[::ffff:169.254.169.254]',
  'http://[::ffff:a9fe:a9fe]',
  'http://[0:0:0:0:0:ffff:a9fe:a9fe]',
  'http://[::a9fe:a9fe]',
  'http://[::ffff:0:a9fe:a9fe]',
  'http://[64:ff9b::a9fe:a9fe]',
  'http://[64:ff9b::169.254.169.254]',
  'http://[64:ff9b:1::a9fe:a9fe]',
  'http://[2002:a9fe:a9fe::]',
  'http://[fe80::1]',
  'http://[fec0::1]',
  'http://[fd00:ec2::254]',
  'http://[fd20:ce::254]',
  'http://[ff02::1]',
  'http://100.100.100.200',
  'http://192.0.0.192',
  'http://168.63.129.16',
  'http://0.0.0.0',
  'http://0',
  'http://0.1.2.3',
  'http://[::]',
  'http://224.0.0.1',
  'http://255.255.255.255',
  'http://240.0.0.1',
]
/** Refused unless private addresses are allowed. */
const PRIVATE = [
  'http://127.0.0.1',
  'http://127.1',
  'http://2130706433',
  'http://0x7f000001',
  'http://0x7f.1',
  'http://017700000001',
  'http://0177.0.0.1',
  'http://127.255.255.254',
  'http://[::1]',
  'http://[0:0:0:0:0:0:0:1]',
  'http://[::ffff:127.0.0.1]',
  'http://[::ffff:7f00:1]',
  'http://[::127.0.0.1]',
  'http://[64:ff9b::7f00:1]',
  'http://[2002:7f00:1::]',
  'http://localhost',
  'http://LOCALHOST',
  'http://10.0.0.1',
  'http://10.255.255.255',
  'http://0xa000001',
  'http://172.16.0.1',
  'http://172.31.255.255',
  'http://192.168.0.1',
  'http://3232235521',
  'http://100.64.0.1',
  'http://192.0.2.1',
  'http://198.18.0.1',
  'http://198.51.100.7',
  'http://203.0.113.9',
  'http://[fc00::1]',
  'http://[fd12:3456::1]',
  'http://[2001:db8::1]',
]

/** One account at this address, in a gateway of its own. */
async function answerFrom(
  t: Test,
  url: string,
  options: { privateAddresses: 'Allow' | 'Deny'; fields?: string },
): Promise<string> {
  const { privateAddresses, fields } = options
  const base = url.startsWith('https:') ? url : `${url}:9`
  const rig = await startRig(
    t,
    `
apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: a}
spec: {provider: OpenAICompatible, baseURL: "${base}/v1", auth: {type: None}${fields ?? ''}}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: main}
spec:
  accountRefs: [{name: a}]
  retry: {maxAttempts: 1}
  timeouts: {connect: 500ms}
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: default}
spec: {defaultProviderGroup: {name: main}}
`,
    { privateAddresses },
  )
  return (await ask(rig)).headers.get('x-korproxy-error') ?? ''
}

function ask({ url }: Pick<Rig, 'url'>, content: unknown = 'Hi'): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] }),
    redirect: 'manual',
  })
}

t.test(
  'S8 metadata, link-local and reserved addresses are refused in every spelling, also where private ones are allowed',
  async (t) => {
    for (const url of NEVER) t.equal(await answerFrom(t, url, { privateAddresses: 'Allow' }), 'KP-NET-307', url)
  },
)

t.test('S8 loopback and private addresses are refused in every spelling where they are not allowed', async (t) => {
  for (const url of PRIVATE) t.equal(await answerFrom(t, url, { privateAddresses: 'Deny' }), 'KP-NET-307', url)
})

t.test(
  'S8 what one policy refuses is not refused by accident: loopback may be dialled where it is allowed',
  async (t) => {
    for (const url of ['http://127.0.0.1', 'http://[::1]', 'http://localhost', 'http://0x7f.1']) {
      t.equal(await answerFrom(t, url, { privateAddresses: 'Allow' }), 'KP-NET-300', url)
    }
    for (const address of ['1.1.1.1', '8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '64:ff9b::808:808']) {
      if (address.startsWith('64:')) t.throws(() => checkAddress(address, { privateAddresses: 'Deny' }), address)
      else t.doesNotThrow(() => checkAddress(address, { privateAddresses: 'Deny' }), address)
    }
  },
)

t.test(
  'S8 a proxy is dialled under the same guard, and does not open the way to what is never a provider',
  async (t) => {
    const proxied = (target: string, proxy: string, privateAddresses: 'Allow' | 'Deny'): Promise<string> =>
      answerFrom(t, target, { privateAddresses, fields: `, proxyURL: "${proxy}"` })
    t.equal(await proxied('http://1.1.1.1', 'http://169.254.169.254:3128', 'Allow'), 'KP-NET-307')
    t.equal(await proxied('http://1.1.1.1', 'http://127.0.0.1:9', 'Deny'), 'KP-NET-307')
    t.equal(await proxied('https://1.1.1.1', 'http://localhost:9', 'Deny'), 'KP-NET-307')
    t.equal(await proxied('http://169.254.169.254', 'http://127.0.0.1:9', 'Allow'), 'KP-NET-307')
    t.equal(await proxied('http://1.1.1.1', 'http://127.0.0.1:9', 'Allow'), 'KP-NET-300')
  },
)

t.test('S8 the token endpoint of an account is dialled under the same guard', async (t) => {
  const rig = await startRig(
    t,
    `
apiVersion: v1
kind: Secret
metadata: {name: a}
stringData: {refreshToken: rt}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: a}
spec:
  provider: OpenAICompatible
  baseURL: "{simulator}/v1"
  auth:
    type: OAuth2
    oauth2: {tokenURL: "http://169.254.169.254/token", clientID: c, refreshTokenRef: {name: a, key: refreshToken}}
`,
  )
  const reply = await ask(rig)
  t.equal(reply.status >= 500, true)
  t.equal(rig.simulator.requests().length, 0)
})

t.test('S8 a redirect of a provider is not followed', async (t) => {
  const reached: string[] = []
  const target = createServer((request, reply) => {
    reached.push(request.url ?? '')
    reply.end('{}')
  })
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
  t.teardown(() => target.close())
  // A server that listens on a port has an address of this kind.
  const { port } = target.address() as AddressInfo
  const stack = await startStack(t, accounts(['a']))
  for (const status of [301, 302, 303, 307, 308]) {
    stack.simulator.reset()
    stack.simulator.script({
      script: [{ status, headers: { location: `http://127.0.0.1:${port}/stolen` } }, { end: true }],
    })
    const reply = await ask(stack)
    t.equal(reply.status, 502, String(status))
    t.equal(reply.headers.get('location'), null)
  }
  t.strictSame(reached, [])
})

t.test('S8 an image address of a client is passed on or refused, never fetched', async (t) => {
  const reached: string[] = []
  const target = createServer((request, reply) => {
    reached.push(request.url ?? '')
    reply.end('')
  })
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
  t.teardown(() => target.close())
  // A server that listens on a port has an address of this kind.
  const { port } = target.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/image.png`
  for (const provider of ['OpenAI', 'Anthropic', 'Gemini', 'Ollama']) {
    const path = provider === 'OpenAI' ? '/v1' : ''
    const stack = await startStack(t, accounts(['a'], `provider: ${provider}`, path))
    const reply = await ask(stack, [
      { type: 'text', text: 'What is this?' },
      { type: 'image_url', image_url: { url } },
    ])
    t.ok([200, 400].includes(reply.status), `${provider}: ${reply.status} ${await reply.text()}`)
  }
  t.strictSame(reached, [])
})

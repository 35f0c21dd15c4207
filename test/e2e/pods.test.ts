import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { buildImage, startCluster } from '../helpers/cluster.ts'
import { eventually } from '../helpers/eventually.ts'

const HELLO = new URL('hello/', import.meta.url)

t.test(
  'pods of an image built here run, restricted, behind a Service, and reach each other and this machine',
  async (t) => {
    const image = await buildImage(t, 'korproxy.test/hello:1', fileURLToPath(HELLO))
    const cluster = await startCluster(t, { nodes: 2, images: [image] })
    t.match(await cluster.kubectl(['apply', '-f', '-'], readFileSync(new URL('hello.yaml', HELLO), 'utf8')), {
      code: 0,
    })
    const rollout = ['rollout', 'status', 'deployment/hello', '--namespace=hello', '--timeout=120s']
    t.match(await cluster.kubectl(rollout), { code: 0 })

    const getAddress = ['get', 'service/hello', '--namespace=hello', '--output=jsonpath={.spec.clusterIP}']
    const { stdout: address } = await cluster.kubectl(getAddress)
    const ask = async (url: string) => (await fetch(`http://${address}/?url=${encodeURIComponent(url)}`)).text()
    t.equal(await (await fetch(`http://${address}/`)).text(), 'hello', 'from this machine to the Service')
    const byName = (): Promise<string> => ask('http://hello.hello.svc.cluster.local/')
    t.equal(await eventually(byName, (text) => text === 'hello'), 'hello', 'from a pod, by name, to the Service')

    const server = createServer((_, reply) => reply.end('from the test'))
    await new Promise<void>((resolve) => server.listen(0, cluster.hostAddress, resolve))
    t.teardown(() => server.close())
    // A server that listens on a port has an address of this kind.
    const { port } = server.address() as AddressInfo
    t.equal(await ask(`http://${cluster.hostAddress}:${port}/`), 'from the test', 'from a pod to a server of the test')

    t.match(await cluster.helm(['list', '--all-namespaces']), { code: 0, stdout: /^NAME/ })
  },
)

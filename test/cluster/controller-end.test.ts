import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { eventually } from '../helpers/eventually.ts'
import { scratch } from '../helpers/stack.ts'
import { freePorts } from './fleet.ts'
import { KorproxyProcess } from './korproxy-process.ts'

/** A controller whose API server is at this address. */
async function startAgainst(t: Test, server: string): Promise<{ process: KorproxyProcess; statusPort: number }> {
  const kubeconfigPath = join(scratch(t), 'kubeconfig')
  const named = { cluster: 'it', user: 'it' }
  const config = {
    clusters: [{ name: 'it', cluster: { server } }],
    users: [{ name: 'it', user: {} }],
    contexts: [{ name: 'it', context: named }],
    'current-context': 'it',
  }
  writeFileSync(kubeconfigPath, JSON.stringify(config))
  const [port = 0, statusPort = 0] = await freePorts(2)
  const ports = ['--port', String(port), '--status-port', String(statusPort)]
  const process = new KorproxyProcess(['controller', '--host=127.0.0.1', ...ports, '--kubeconfig', kubeconfigPath])
  t.teardown(() => process.kill())
  return { process, statusPort }
}

async function probe(port: number, path: string): Promise<number | undefined> {
  try {
    return (await fetch(`http://127.0.0.1:${port}${path}`)).status
  } catch {
    return undefined
  }
}

t.test('R5.2 a controller that cannot reach its API server at the start ends when it is told to', async (t) => {
  const unanswered: (() => void)[] = []
  const server = createServer((_request, reply) => unanswered.push(() => reply.destroy()))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const end of unanswered) end()
    server.close()
  })
  // It listens on TCP.
  const silent = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const [absent = 0] = await freePorts(1)
  for (const address of [silent, `http://127.0.0.1:${absent}`]) {
    const { process, statusPort } = await startAgainst(t, address)
    const livez = () => probe(statusPort, '/livez')
    t.equal(await eventually(livez, (status) => status === 200), 200)
    t.equal(await probe(statusPort, '/readyz'), 503)
    process.signal('SIGTERM')
    const wait = new Promise((resolve) =>
      setTimeout(resolve, 15_000, 'it still runs after half its grace period').unref(),
    )
    t.equal(await Promise.race([process.ended, wait]), 0)
    t.strictSame(process.stray, [])
  }
})

import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { parentPort } from 'node:worker_threads'

/** The far sides of a gateway, in a thread of their own so that the memory they need is not counted as the gateway's. */
export interface FirehoseOrder {
  readonly kind: 'firehose' | 'readers' | 'count' | 'release'
  /** `firehose`: what is written, how often, and at the end. */
  readonly event?: string
  readonly events?: number
  readonly last?: string
  /** `readers`: how many send this request and never read. */
  readonly count?: number
  readonly port?: number
  readonly request?: string
}

const written: number[] = []
const sockets: Socket[] = []
let open = 0

parentPort?.on('message', (order: FirehoseOrder) => {
  if (order.kind === 'firehose') startFirehose(order)
  if (order.kind === 'readers') startReaders(order)
  if (order.kind === 'release') for (const socket of sockets.splice(0)) socket.destroy()
  if (order.kind === 'count') parentPort?.postMessage({ written: [...written], open })
})

function startFirehose({ event = '', events = 0, last = '' }: FirehoseOrder): void {
  const server = createServer((request, reply) => {
    const index = written.push(0) - 1
    open += 1
    reply.once('close', () => {
      open -= 1
    })
    request.resume()
    reply.writeHead(200, { 'content-type': 'text/event-stream' })
    let sent = 0
    const pump = (): void => {
      while (sent < events && !reply.destroyed) {
        sent += 1
        written[index] = (written[index] ?? 0) + event.length
        if (!reply.write(event)) {
          reply.once('drain', pump)
          return
        }
      }
      reply.end(last)
    }
    pump()
  })
  server.listen(0, '127.0.0.1', () => {
    // A server that listens on a port has an address of this kind.
    parentPort?.postMessage({ port: (server.address() as AddressInfo).port })
  })
}

function startReaders({ count = 0, port = 0, request = '' }: FirehoseOrder): void {
  for (let at = 0; at < count; at += 1) {
    const socket = connect({ host: '127.0.0.1', port })
    socket.on('error', () => {})
    socket.pause()
    socket.write(request)
    sockets.push(socket)
  }
}

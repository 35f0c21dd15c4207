import { type IncomingMessage, request } from 'node:http'
import type { Socket } from 'node:net'
import type { Test } from 'tap'
import { RawProvider } from './raw-provider.ts'
import type { Read } from './read-reply.ts'

/** What an answer waits for: Node has not ended it, though nothing is missing. */
const PATIENCE_MS = 1_000

type NodeRead = Omit<Read, 'rest'>

/** What Node's own client understands. */
export class NodeClient {
  readonly #provider: RawProvider
  readonly #answer: { with: (socket: Socket) => void }

  private constructor(provider: RawProvider, answer: { with: (socket: Socket) => void }) {
    this.#provider = provider
    this.#answer = answer
  }

  static async start(t: Test): Promise<NodeClient> {
    const answer = { with: (_socket: Socket): void => {} }
    const provider = await RawProvider.start(t, ({ socket }) => answer.with(socket))
    return new NodeClient(provider, answer)
  }

  /** The end is told as for our own reader; a code of Node's parser where it refuses. */
  async read(text: string, method: string, closes: boolean): Promise<NodeRead> {
    this.#answer.with = (socket) => {
      const bytes = Buffer.from(text, 'latin1')
      if (closes) socket.end(bytes)
      else socket.write(bytes)
    }
    // Nobody asks for the earlier ones.
    this.#provider.sockets.length = 0
    this.#provider.asked.length = 0
    const { promise, resolve } = Promise.withResolvers<NodeRead>()
    const seen = { status: 0, headers: [] as readonly string[], body: '' }
    let reply: IncomingMessage | undefined
    let refused: string | undefined
    const end = (): string => refused ?? (reply?.complete === true ? 'whole' : 'lost')
    const options = { port: this.#provider.port, method, agent: false, maxHeaderSize: 65_536 } as const
    const asked = request({ host: '127.0.0.1', ...options }, (incoming) => {
      reply = incoming
      seen.status = incoming.statusCode ?? 0
      seen.headers = asLines(incoming.rawHeaders)
      incoming.on('error', () => {})
      incoming.on('data', (chunk: Buffer) => {
        seen.body += chunk.toString('latin1')
      })
      incoming.on('end', () => asked.destroy())
    })
    const timer = setTimeout(() => {
      refused ??= 'open'
      asked.destroy()
    }, PATIENCE_MS)
    asked.on('upgrade', (_reply, socket) => {
      refused ??= 'upgrade'
      socket.destroy()
    })
    asked.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code?.startsWith('HPE_') === true && reply?.complete !== true) refused ??= error.code
    })
    asked.on('close', () => {
      clearTimeout(timer)
      resolve({ ...seen, end: end() })
    })
    asked.end()
    return promise
  }
}

/** As our own reader's are told. */
function asLines(rawHeaders: readonly string[]): string[] {
  const byName = new Map<string, string[]>()
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase()
    byName.set(name, [...(byName.get(name) ?? []), rawHeaders[at + 1] ?? ''])
  }
  return [...byName].map(([name, values]) =>
    values.length === 1 ? `${name}: ${values[0]}` : `${name}: [${values.join(', ')}]`,
  )
}

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type {
  ChatFormat,
  ChatFormatName,
  ClientContext,
  EncodedRequest,
  StreamDecoder,
  StreamEncoder,
} from '#formats/format.ts'
import { collectReply } from '#formats/ir/collect-reply.ts'
import { CHAT_FORMATS } from '#formats/registry.ts'
import { type EventSplitter, type RawEvent, SseSplitter } from '#formats/sse/event-splitter.ts'
import { LineSplitter } from '#formats/sse/line-splitter.ts'
import { ANSWERING, type Target } from './targets.ts'

/** Fixed: replies that carry a time carry this one. */
const NOW = Date.UTC(2026, 10, 21, 10)

const CLIENT_PATHS: readonly (readonly [end: string, format: ChatFormatName])[] = [
  ['/chat/completions', 'openai-chat'],
  ['/responses', 'openai-responses'],
  ['/completions', 'openai-completions'],
  ['/messages', 'anthropic'],
  ['/api/chat', 'ollama-chat'],
  ['/api/generate', 'ollama-generate'],
]

/** Cuts bytes into the frames of a format. */
export function splitterOf(format: ChatFormat): EventSplitter {
  return format.framing === 'ndjson' ? new LineSplitter() : new SseSplitter()
}

/**
 * Nothing but the formats between an SDK and the simulator: `<url>/<target>/<the API's path>` is answered by that target. What
 * follows `--` in the model's name goes to the simulator, which reads its scenario from it.
 */
export async function startRelay(t: Test, upstream: string): Promise<string> {
  const server = createServer((request, response) => {
    relay(request, response, upstream).catch((error: unknown) => {
      response.writeHead(599, { 'content-type': 'text/plain', 'x-should-retry': 'false' }).end(String(error))
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  // A server that listens on a TCP port has such an address.
  const { port } = server.address() as AddressInfo
  return `http://127.0.0.1:${port}`
}

async function relay(request: IncomingMessage, response: ServerResponse, upstream: string): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://relay')
  const target = ANSWERING[decodeURIComponent(pathname.split('/')[1] ?? '')]
  const gemini = /\/models\/([^:]+):(\w+)$/.exec(pathname)
  const client =
    CHAT_FORMATS[gemini === null ? (CLIENT_PATHS.find(([end]) => pathname.endsWith(end))?.[1] ?? 'gemini') : 'gemini']
  if (target === undefined) throw new Error(`no target in ${pathname}`)
  const path = gemini === null ? {} : { model: gemini[1] ?? '', stream: gemini[2] === 'streamGenerateContent' }
  const decoded = client.decodeRequest(JSON.parse(await readText(request)), path)
  const scenario = decoded.model.split('--')[1]
  const model = { ...target.model, id: scenario === undefined ? target.model.id : `${target.model.id}--${scenario}` }
  const encoded = target.format.encodeRequest?.({ ...decoded, model: model.id }, model)
  if (encoded === undefined) throw new Error(`${target.format.name} is no target`)
  const answer = await fetch(upstream + target.path(decoded.stream).replace(target.model.id, model.id), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...target.headers },
    body: JSON.stringify(encoded.body),
  })
  if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`)
  const context = clientContext(decoded)
  if (decoded.stream) return relayStream({ response, client, target, encoded, context }, answer)
  const events = target.format.decodeReply(JSON.parse(await answer.text()), encoded.replyContext)
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify(client.encodeReply(collectReply(events), context)))
}

interface Relayed {
  readonly response: ServerResponse
  readonly client: ChatFormat
  readonly target: Target
  readonly encoded: EncodedRequest
  readonly context: ClientContext
}

/** Event by event, as they come. */
async function relayStream({ response, client, target, encoded, context }: Relayed, answer: Response): Promise<void> {
  response.writeHead(200, { 'content-type': client.streamContentType })
  const pipe = new StreamPipe(
    target.format,
    target.format.streamDecoder(encoded.replyContext),
    client.streamEncoder(context),
  )
  for await (const chunk of answer.body ?? []) response.write([...pipe.push(chunk)].join(''))
  response.end([...pipe.end()].join(''))
}

/** Bytes of one format in, text of another out. */
export class StreamPipe {
  readonly #splitter: EventSplitter
  readonly #decoder: StreamDecoder
  readonly #encoder: StreamEncoder

  constructor(from: ChatFormat, decoder: StreamDecoder, encoder: StreamEncoder) {
    this.#splitter = splitterOf(from)
    this.#decoder = decoder
    this.#encoder = encoder
  }

  /** One piece of text an event: what came before a broken one is not lost. */
  *push(chunk: Uint8Array): Iterable<string> {
    yield* this.#write(this.#splitter.push(chunk))
  }

  *end(): Iterable<string> {
    yield* this.#write(this.#splitter.end())
    for (const event of this.#decoder.end()) yield this.#encoder.push(event)
    yield this.#encoder.end()
  }

  *#write(raws: readonly RawEvent[]): Iterable<string> {
    for (const { frame } of raws) {
      if (frame !== undefined) for (const event of this.#decoder.push(frame)) yield this.#encoder.push(event)
    }
  }
}

export function clientContext(request: ClientContext['request']): ClientContext {
  let minted = 0
  const newId = (): string => {
    minted += 1
    return `id${minted}`
  }
  return { request, now: NOW, newId, estimatedInputTokens: 5 }
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { ChatFormat, ChatFormatName, ReplyContext } from '#formats/format.ts'
import { CHAT_FORMATS } from '#formats/registry.ts'
import { recut } from '../../helpers/recut.ts'
import { clientContext, StreamPipe } from './relay.ts'

// The names of the registry's members.
const CLIENTS = Object.keys(CHAT_FORMATS) as ChatFormatName[]
const REPLY: ReplyContext = { issuer: 'test', toolNames: new Map(), jsonTool: undefined }
const CONTEXT = clientContext(
  CHAT_FORMATS['openai-chat'].decodeRequest(
    {
      model: 'alias',
      stream: true,
      stream_options: { include_usage: true },
      messages: [{ role: 'user', content: 'hi' }],
      reasoning_effort: 'low',
    },
    {},
  ),
)

/** How each format's recorded frames become the bytes of its stream. */
const WIRES: Partial<Record<ChatFormatName, (frame: unknown) => string>> = {
  gemini: (frame) => `data: ${JSON.stringify(frame)}\r\n\r\n`,
  'ollama-chat': (frame) => `${JSON.stringify(frame)}\n`,
  // Each recorded event is an object with its type.
  'openai-responses': (frame) => `event: ${(frame as { type: string }).type}\ndata: ${JSON.stringify(frame)}\n\n`,
}

function recorded(format: ChatFormatName): { title: string; bytes: Uint8Array }[] {
  const folder = new URL(`../${format}/streams/`, import.meta.url)
  const wire = WIRES[format]
  return readdirSync(folder)
    .filter((file) => file.endsWith(wire === undefined ? '.sse' : '.in.json'))
    .map((file) => {
      const bytes = new Uint8Array(readFileSync(new URL(file, folder)))
      if (wire === undefined) return { title: file, bytes }
      // The files are lists of frames.
      const frames = JSON.parse(new TextDecoder().decode(bytes)) as unknown[]
      return { title: file, bytes: new TextEncoder().encode(frames.map(wire).join('')) }
    })
}

/** Everything the client gets, up to the error that ends it. */
function piped(from: ChatFormat, to: ChatFormat, chunks: readonly Uint8Array[]): string {
  let minted = 0
  const newId = () => {
    minted += 1
    return `id${minted}`
  }
  const pipe = new StreamPipe(from, from.streamDecoder(REPLY), to.streamEncoder({ ...CONTEXT, newId }))
  let text = ''
  try {
    for (const chunk of chunks) for (const piece of pipe.push(chunk)) text += piece
    for (const piece of pipe.end()) text += piece
    return text
  } catch (error) {
    if (error instanceof KorProxyError) return `${text}\n${error.code}: ${error.message}`
    throw error
  }
}

for (const name of ['openai-chat', 'openai-responses', 'anthropic', 'gemini', 'ollama-chat'] as const) {
  t.test(`R3.4 a stream of ${name} gives every client the same bytes, however it is cut`, (t) => {
    const from = CHAT_FORMATS[name]
    for (const { title, bytes } of recorded(name)) {
      for (const client of CLIENTS) {
        const to = CHAT_FORMATS[client]
        const whole = piped(from, to, [bytes])
        let different = 0
        for (const chunks of recut(bytes)) if (piped(from, to, chunks) !== whole) different += 1
        t.equal(different, 0, `${name}/${title} → ${client}: cuts that change the output`)
      }
    }
    t.end()
  })
}

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { ReplyContext } from '#formats/format.ts'
import type { ChatEvent } from '#formats/ir/chat-event.ts'
import { openaiChat } from '#formats/openai-chat/openai-chat.ts'
import { SseSplitter } from '#formats/sse/event-splitter.ts'
import { recut } from '../../helpers/recut.ts'

const STREAMS = new URL('streams/', import.meta.url)
const CONTEXT: ReplyContext = { issuer: 'test', toolNames: new Map([['g', 'the client’s g']]), jsonTool: undefined }

/** The events of a stream, and the error that ended it. */
function decode(chunks: readonly Uint8Array[]): (ChatEvent | { readonly thrown: string })[] {
  const splitter = new SseSplitter()
  const decoder = openaiChat.streamDecoder(CONTEXT)
  const events: ChatEvent[] = []
  try {
    for (const chunk of chunks) {
      for (const { frame } of splitter.push(chunk)) if (frame !== undefined) events.push(...decoder.push(frame))
    }
    for (const { frame } of splitter.end()) if (frame !== undefined) events.push(...decoder.push(frame))
    return [...events, ...decoder.end()]
  } catch (error) {
    if (error instanceof KorProxyError) return [...events, { thrown: error.message }]
    throw error
  }
}

/** A title of its own for each stream in which a provider, or a gateway in front of it, does not tell the truth. */
const LIES: Record<string, string> = {
  'finish-error-word': 'a failure in the finish reason is an error (LiteLLM maps it to stop)',
  'openrouter-error':
    'an error after content is an error, and a finish reason after it changes nothing (LiteLLM shows it as stop)',
  'tools-all-index-0':
    'parallel calls that are all numbered 0 stay separate calls (LiteLLM, Portkey and Bifrost merge them)',
  'tools-interleaved': 'arguments that interleave go to their own calls',
  'tools-without-index':
    'a delta without index begins a call with an id and continues the last without; "stop" after calls means tool calls',
  'tools-without-id': 'a call without id gets one that is unique to the reply; arguments may come as an object',
  'tools-name-repeated': 'a name that comes with every delta is not added up (Portkey concatenates names)',
  'tools-no-arguments': 'a call whose arguments never come is a call (LiteLLM fails with a KeyError)',
  'tool-without-name': 'a call that never gets a name is a broken reply (Portkey hands out nameless calls)',
  'tool-calls-without-calls': 'finish reason tool_calls without any call is a stop: no client waits for a call',
  'gemini-signature':
    'reasoning that a provider counts beside the completion is part of the output (Portkey bills 23 tokens of 325)',
  'cut-in-a-tool-call': 'a stream cut off has no finish',
  'broken-json': 'a frame cut off is an error, not an end',
}

for (const name of readdirSync(STREAMS).filter((it) => it.endsWith('.sse'))) {
  const title = name.replace('.sse', '')
  t.test(`R3.5 ${title}: ${LIES[title] ?? 'decoded as its events file says'}, however it is cut`, (t) => {
    const bytes = new Uint8Array(readFileSync(new URL(name, STREAMS)))
    const expected = new URL(`${title}.events.ndjson`, STREAMS)
    const whole = `${decode([bytes])
      .map((event) => JSON.stringify(event))
      .join('\n')}\n`
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(expected, whole)
    t.equal(whole, readFileSync(expected, 'utf8'))
    const events = decode([bytes])
    let different = 0
    for (const chunks of recut(bytes)) if (JSON.stringify(decode(chunks)) !== JSON.stringify(events)) different += 1
    t.equal(different, 0, 'cuts that change the events')
    t.end()
  })
}

import type { ChatFormat } from '#formats/format.ts'
import { arrayStreamEncoder } from '#formats/gemini/array-stream.ts'
import type { ChatEvent, ChatReply } from '#formats/ir/chat-event.ts'
import type { ChatOptions } from '#formats/ir/chat-request.ts'
import { collectReply } from '#formats/ir/collect-reply.ts'
import { estimateBodyTokens } from '#formats/ir/estimate-body-tokens.ts'
import { CHAT_FORMATS, EMBEDDING_FORMATS } from '#formats/registry.ts'
import { jsonBytes } from '../json-bytes.ts'
import type { ChatReading, PreparedRequest } from '../stages/encode.ts'
import type { ReplySink } from '../upstream/attempt-result.ts'
import { BadReply } from '../upstream/connection-failure.ts'
import { CollectSink } from './collect-sink.ts'
import { FailureSink } from './failure-sink.ts'
import type { Relay } from './relay.ts'
import { estimateOutput, ReplyNotes } from './reply-notes.ts'
import { StreamSink } from './stream-sink.ts'
import { ArrayPassingWriter, PassingWriter, type StreamWriter, TranslatingWriter } from './stream-writer.ts'
import { contentType, parseReply, WholeSink, type WholeWriter } from './whole-sink.ts'

/** Stands in where a pass-through stream must be closed with an error and nothing was decoded. */
const UNREAD_REQUEST: ChatOptions = {
  model: '',
  stream: true,
  includeUsage: false,
  system: [],
  tools: [],
  toolChoice: undefined,
  parallelToolCalls: undefined,
  sampling: {},
  maxOutputTokens: undefined,
  responseFormat: undefined,
  reasoning: undefined,
  user: undefined,
  serviceTier: undefined,
  promptCacheKey: undefined,
  dropped: [],
}

const STREAM_TYPE = /^(?:text\/event-stream|application\/x-ndjson)/i

/** Answers are read whole for their usage: images come to some MB. */
const HELD_ANSWER_BYTES = 16 * 1024 * 1024
/** Of anything else, so that a provider that breaks off early is not taken for an answer. */
const HELD_FILE_BYTES = 1024 * 1024

/** Chooses how a reply is taken, by its status and type. @throws BadReply for an encoding nobody asked for */
export function openSink(relay: Relay, prepared: PreparedRequest): ReplySink {
  if (relay.status >= 300) return new FailureSink(relay)
  const encoding = relay.headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') {
    throw new BadReply(`content-encoding ${String(encoding)} cannot be read`)
  }
  switch (prepared.kind) {
    case 'pass-chat':
    case 'translate-chat':
      return openChatSink(relay, prepared)
    case 'pass-embedding':
      return new WholeSink(relay, passingEmbedding(relay, prepared))
    case 'translate-embedding':
      return new WholeSink(relay, translatingEmbedding(relay, prepared))
    case 'pass-other':
      return new WholeSink(relay, passingOther(relay))
  }
}

type ChatPrepared = Extract<PreparedRequest, { kind: 'pass-chat' | 'translate-chat' }>

function openChatSink(relay: Relay, prepared: ChatPrepared): ReplySink {
  const { exchange } = relay
  const { reading } = prepared
  const type = relay.headers['content-type']
  const isStream = typeof type === 'string' ? STREAM_TYPE.test(type) : exchange.stream
  if (isStream && exchange.stream) {
    const writer =
      prepared.kind === 'pass-chat' ? passingWriter(relay, prepared) : translatingWriter(relay, prepared.request)
    return new StreamSink(relay, reading, writer)
  }
  if (prepared.kind === 'pass-chat' && !isStream && !exchange.stream) {
    return new WholeSink(relay, passingChat(relay, reading))
  }
  // The provider answered in the other way than it was asked: the events are the same.
  const request = prepared.kind === 'translate-chat' ? prepared.request : { ...UNREAD_REQUEST, stream: exchange.stream }
  if (isStream) return new CollectSink(relay, reading, (reply) => sendReply(relay, reply, request))
  if (exchange.stream) {
    return new WholeSink(relay, wholeAsStream(relay, reading, translatingWriter(relay, request)))
  }
  return new WholeSink(relay, translatingChat(relay, reading, request))
}

function clientChatFormat({ exchange }: Relay): ChatFormat {
  const { operation } = exchange.surface
  if (operation.kind !== 'chat') throw new Error(`no chat format for ${operation.kind}`)
  return CHAT_FORMATS[operation.format]
}

function passingWriter(relay: Relay, prepared: Extract<ChatPrepared, { kind: 'pass-chat' }>): StreamWriter {
  const format = clientChatFormat(relay)
  const context = relay.clientContext(UNREAD_REQUEST)
  if (relay.exchange.surface.arrayStream) return new ArrayPassingWriter(format, context)
  return new PassingWriter(format, context, { dropUsage: prepared.addedUsage })
}

function translatingWriter(relay: Relay, request: ChatOptions): StreamWriter {
  const format = clientChatFormat(relay)
  const encoder = format.streamEncoder(relay.clientContext(request))
  if (relay.exchange.surface.arrayStream) {
    return new TranslatingWriter(arrayStreamEncoder(encoder), { contentType: 'application/json', heartbeat: '' })
  }
  return new TranslatingWriter(encoder, { contentType: format.streamContentType, heartbeat: format.heartbeat })
}

/** Reads a whole reply's events. */
function readEvents(relay: Relay, { format, context }: ChatReading, body: Buffer): readonly ChatEvent[] {
  const events = format.decodeReply(parseReply(body), context)
  noteEvents(relay, events)
  return events
}

/** A reply counts as an answer only with a finish reason. */
function noteEvents({ exchange }: Relay, events: readonly ChatEvent[]): void {
  const notes = new ReplyNotes(exchange)
  for (const event of events) notes.note(event)
  if (!notes.finished) throw new BadReply('the reply has no finish reason')
  notes.estimateOutput()
}

function sendReply(relay: Relay, reply: ChatReply, request: ChatOptions): void {
  const body = Buffer.from(JSON.stringify(clientChatFormat(relay).encodeReply(reply, relay.clientContext(request))))
  relay.noteFirstToken()
  relay.client.send(200, relay.replyHeaders(['content-type', 'application/json']), body)
}

function passingChat(relay: Relay, reading: ChatReading): WholeWriter {
  return {
    holdBytes: HELD_ANSWER_BYTES,
    write(body) {
      const { format, context } = reading
      const parsed = parseReply(body)
      noteEvents(relay, format.inspectReply?.(parsed) ?? format.decodeReply(parsed, context))
      // An inspection does not read what was written.
      const isUncounted = relay.exchange.usage?.output === undefined
      if (isUncounted) estimateOutput(relay.exchange, estimateBodyTokens(body))
      relay.noteFirstToken()
      relay.client.send(relay.status, relay.replyHeaders(contentType(relay.headers)), body)
    },
  }
}

function translatingChat(relay: Relay, reading: ChatReading, request: ChatOptions): WholeWriter {
  return {
    write(body) {
      sendReply(relay, collectReply(readEvents(relay, reading, body)), request)
    },
  }
}

/** The client asked for a stream and the provider answered at once. */
function wholeAsStream(relay: Relay, reading: ChatReading, writer: StreamWriter): WholeWriter {
  return {
    write(body) {
      const events = readEvents(relay, reading, body)
      relay.noteFirstToken()
      relay.client.commit(200, relay.replyHeaders(['content-type', writer.contentType, 'cache-control', 'no-cache']))
      relay.client.end(writer.end(events))
    },
  }
}

function passingEmbedding(relay: Relay, prepared: Extract<PreparedRequest, { kind: 'pass-embedding' }>): WholeWriter {
  return {
    holdBytes: HELD_ANSWER_BYTES,
    write(body) {
      const { inputTokens } = prepared.format.decodeReply(parseReply(body))
      if (inputTokens !== undefined) relay.exchange.usage = { input: inputTokens, output: 0 }
      relay.client.send(relay.status, relay.replyHeaders(contentType(relay.headers)), body)
    },
  }
}

function translatingEmbedding(
  relay: Relay,
  prepared: Extract<PreparedRequest, { kind: 'translate-embedding' }>,
): WholeWriter {
  return {
    write(body) {
      const { operation } = relay.exchange.surface
      if (operation.kind !== 'embedding') throw new Error(`no embedding format for ${operation.kind}`)
      const reply = prepared.format.decodeReply(parseReply(body))
      if (reply.inputTokens !== undefined) relay.exchange.usage = { input: reply.inputTokens, output: 0 }
      const encoded = EMBEDDING_FORMATS[operation.format].encodeReply(reply, prepared.request)
      relay.client.send(200, relay.replyHeaders(['content-type', 'application/json']), jsonBytes(encoded, body.length))
    },
  }
}

function passingOther(relay: Relay): WholeWriter {
  return {
    holdBytes: comesInPieces(relay) ? 0 : HELD_FILE_BYTES,
    write(body) {
      const own = contentType(relay.headers)
      if (relay.exchange.request.method === 'HEAD')
        relay.client.sendHead(relay.status, relay.replyHeaders(own), relay.headers)
      else relay.client.send(relay.status, relay.replyHeaders(own), body)
    },
  }
}

/** What somebody listens to while it is made. */
function comesInPieces({ headers }: Relay): boolean {
  const type = headers['content-type']
  return typeof type === 'string' && (STREAM_TYPE.test(type) || /^(?:audio|video)\//i.test(type))
}

import type { ChatFormat } from '#formats/format.ts'
import { arrayStreamEncoder } from '#formats/gemini/array-stream.ts'
import type { ChatEvent, ChatReply } from '#formats/ir/chat-event.ts'
import type { ChatRequest, JsonObject } from '#formats/ir/chat-request.ts'
import { collectReply } from '#formats/ir/collect-reply.ts'
import { CHAT_FORMATS, EMBEDDING_FORMATS } from '#formats/registry.ts'
import type { ReplyHeaders } from '#providers/provider.ts'
import type { ChatReading, PreparedRequest } from '../stages/encode.ts'
import type { ReplySink } from '../upstream/attempt.ts'
import { BadReply } from '../upstream/connection-failure.ts'
import { CollectSink } from './collect-sink.ts'
import { FailureSink } from './failure-sink.ts'
import type { RelayParts } from './relay-parts.ts'
import { ReplyNotes } from './reply-notes.ts'
import { StreamSink } from './stream-sink.ts'
import { ArrayPassingWriter, PassingWriter, type StreamWriter, TranslatingWriter } from './stream-writer.ts'
import { contentType, WholeSink, type WholeWriter } from './whole-sink.ts'

/** Stands in where a pass-through stream must be closed with an error and nothing was decoded. */
const UNREAD_REQUEST: ChatRequest = {
  model: '',
  stream: true,
  includeUsage: false,
  system: [],
  turns: [],
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

const STREAM_TYPE = /^(?:text\/event-stream|application\/x-ndjson)/

/** Chooses how a reply is taken, by its status and type. @throws BadReply for an encoding nobody asked for */
export function openSink(parts: RelayParts, prepared: PreparedRequest, headers: ReplyHeaders): ReplySink {
  if (parts.status >= 300) return new FailureSink(parts, headers)
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') {
    throw new BadReply(`content-encoding ${String(encoding)} although identity was asked for`)
  }
  switch (prepared.kind) {
    case 'pass-chat':
    case 'translate-chat':
      return openChatSink(parts, prepared, headers)
    case 'pass-embedding':
      return new WholeSink(parts, headers, passingEmbedding(parts, headers, prepared))
    case 'translate-embedding':
      return new WholeSink(parts, headers, translatingEmbedding(parts, prepared))
    case 'pass-other':
      return new WholeSink(parts, headers, passingOther(parts, headers))
  }
}

type ChatPrepared = Extract<PreparedRequest, { kind: 'pass-chat' | 'translate-chat' }>

function openChatSink(parts: RelayParts, prepared: ChatPrepared, headers: ReplyHeaders): ReplySink {
  const { exchange } = parts
  const { reading } = prepared
  const isStream = STREAM_TYPE.test(String(headers['content-type'] ?? ''))
  if (isStream && exchange.stream) {
    const writer =
      prepared.kind === 'pass-chat' ? passingWriter(parts, prepared) : translatingWriter(parts, prepared.request)
    return new StreamSink(parts, reading, writer)
  }
  if (prepared.kind === 'pass-chat' && !isStream && !exchange.stream) {
    return new WholeSink(parts, headers, passingChat(parts, headers, reading))
  }
  // The provider answered in the other way than it was asked: the events are the same.
  const request = prepared.kind === 'translate-chat' ? prepared.request : { ...UNREAD_REQUEST, stream: exchange.stream }
  if (isStream) return new CollectSink(parts, reading, (reply) => sendReply(parts, reply, request))
  if (exchange.stream) {
    return new WholeSink(parts, headers, wholeAsStream(parts, reading, translatingWriter(parts, request)))
  }
  return new WholeSink(parts, headers, translatingChat(parts, reading, request))
}

function clientChatFormat({ exchange }: RelayParts): ChatFormat {
  const { operation } = exchange.surface
  if (operation.kind !== 'chat') throw new Error(`no chat format for ${operation.kind}`)
  return CHAT_FORMATS[operation.format]
}

function passingWriter(parts: RelayParts, prepared: Extract<ChatPrepared, { kind: 'pass-chat' }>): StreamWriter {
  const format = clientChatFormat(parts)
  const context = parts.clientContext(UNREAD_REQUEST)
  if (parts.exchange.surface.arrayStream) return new ArrayPassingWriter(format, context)
  return new PassingWriter(format, context, { dropUsage: prepared.addedUsage })
}

function translatingWriter(parts: RelayParts, request: ChatRequest): StreamWriter {
  const format = clientChatFormat(parts)
  const encoder = format.streamEncoder(parts.clientContext(request))
  if (parts.exchange.surface.arrayStream) {
    return new TranslatingWriter(arrayStreamEncoder(encoder), { contentType: 'application/json', heartbeat: '' })
  }
  return new TranslatingWriter(encoder, { contentType: format.streamContentType, heartbeat: format.heartbeat })
}

/** Reads a whole reply's events; it counts as an answer only with a finish reason. */
function readEvents(parts: RelayParts, reading: ChatReading, body: JsonObject): readonly ChatEvent[] {
  const notes = new ReplyNotes(parts.exchange)
  const events = reading.format.decodeReply(body, reading.context)
  for (const event of events) notes.note(event)
  if (!notes.finished) throw new BadReply('the reply has no finish reason')
  return events
}

function sendReply(parts: RelayParts, reply: ChatReply, request: ChatRequest): void {
  const body = Buffer.from(JSON.stringify(clientChatFormat(parts).encodeReply(reply, parts.clientContext(request))))
  noteFirstToken(parts)
  parts.client.send(200, ['content-type', 'application/json', ...parts.replyHeaders], body)
}

function noteFirstToken({ exchange, monotonic }: RelayParts): void {
  exchange.firstTokenMs = monotonic() - exchange.startedAt
}

function passingChat(parts: RelayParts, headers: ReplyHeaders, reading: ChatReading): WholeWriter {
  return {
    mode: 'passing',
    write(body, parsed) {
      readEvents(parts, reading, parsed())
      noteFirstToken(parts)
      parts.client.send(parts.status, [...contentType(headers), ...parts.replyHeaders], body)
    },
  }
}

function translatingChat(parts: RelayParts, reading: ChatReading, request: ChatRequest): WholeWriter {
  return {
    mode: 'translating',
    write(_body, parsed) {
      sendReply(parts, collectReply(readEvents(parts, reading, parsed())), request)
    },
  }
}

/** The client asked for a stream and the provider answered at once. */
function wholeAsStream(parts: RelayParts, reading: ChatReading, writer: StreamWriter): WholeWriter {
  return {
    mode: 'translating',
    write(_body, parsed) {
      const events = readEvents(parts, reading, parsed())
      noteFirstToken(parts)
      parts.client.commit(200, ['content-type', writer.contentType, 'cache-control', 'no-cache', ...parts.replyHeaders])
      parts.client.end(writer.end(events))
    },
  }
}

function passingEmbedding(
  parts: RelayParts,
  headers: ReplyHeaders,
  prepared: Extract<PreparedRequest, { kind: 'pass-embedding' }>,
): WholeWriter {
  return {
    mode: 'passing',
    write(body, parsed) {
      const { inputTokens } = prepared.format.decodeReply(parsed())
      if (inputTokens !== undefined) parts.exchange.usage = { input: inputTokens, output: 0 }
      parts.client.send(parts.status, [...contentType(headers), ...parts.replyHeaders], body)
    },
  }
}

function translatingEmbedding(
  parts: RelayParts,
  prepared: Extract<PreparedRequest, { kind: 'translate-embedding' }>,
): WholeWriter {
  return {
    mode: 'translating',
    write(_body, parsed) {
      const { operation } = parts.exchange.surface
      if (operation.kind !== 'embedding') throw new Error(`no embedding format for ${operation.kind}`)
      const reply = prepared.format.decodeReply(parsed())
      if (reply.inputTokens !== undefined) parts.exchange.usage = { input: reply.inputTokens, output: 0 }
      const body = EMBEDDING_FORMATS[operation.format].encodeReply(reply, prepared.request)
      parts.client.send(
        200,
        ['content-type', 'application/json', ...parts.replyHeaders],
        Buffer.from(JSON.stringify(body)),
      )
    },
  }
}

function passingOther(parts: RelayParts, headers: ReplyHeaders): WholeWriter {
  return {
    mode: 'passing',
    write(body) {
      parts.client.send(parts.status, [...contentType(headers), ...parts.replyHeaders], body)
    },
  }
}

import { KorProxyError } from '#errors/korproxy-error.ts'
import type {
  ChatFormat,
  ChatFormatName,
  EmbeddingFormat,
  EmbeddingFormatName,
  ReplyContext,
  TargetModel,
} from '#formats/format.ts'
import type { ChatOptions, ChatRequest, JsonObject } from '#formats/ir/chat-request.ts'
import type { EmbeddingRequest } from '#formats/ir/embedding.ts'
import { readMember, setMember } from '#formats/json-scan/edit-member.ts'
import { type JsonEdit, spliceJson } from '#formats/json-scan/splice.ts'
import { CHAT_FORMATS, EMBEDDING_FORMATS } from '#formats/registry.ts'
import type { Operation, Provider } from '#providers/provider.ts'
import type { Account, Group, ModelFacts } from '#table/routing-table.ts'
import type { Exchange } from '../exchange.ts'
import { jsonBytes } from '../json-bytes.ts'
import { parseScanned } from '../parse-scanned.ts'
import type { ServingTenant } from '../serving-table.ts'
import type { SurfaceOperation } from '../surface.ts'

/** A request ready for one account, and how its reply must be read. */
export type PreparedRequest =
  | {
      readonly kind: 'pass-chat'
      readonly operation: Operation
      readonly body: Uint8Array
      readonly reading: ChatReading
      readonly addedUsage: boolean
    }
  | {
      readonly kind: 'translate-chat'
      readonly operation: Operation
      readonly body: Uint8Array
      readonly reading: ChatReading
      readonly request: ChatOptions
      readonly upstreamStream: boolean
    }
  | {
      readonly kind: 'pass-embedding'
      readonly operation: Operation
      readonly body: Uint8Array
      readonly format: EmbeddingFormat
    }
  | {
      readonly kind: 'translate-embedding'
      readonly operation: Operation
      readonly body: Uint8Array
      readonly format: EmbeddingFormat
      readonly request: EmbeddingRequest
    }
  | { readonly kind: 'pass-other'; readonly operation: Operation; readonly body: Uint8Array }

/** The provider speaks the client's own format: what came with the request may go to it. */
export function passesAsIs({ kind }: PreparedRequest): boolean {
  return kind !== 'translate-chat' && kind !== 'translate-embedding'
}

/** The upstream's format and what its decoder must know. */
export interface ChatReading {
  readonly format: ChatFormat
  readonly context: ReplyContext
}

export interface Choice {
  readonly provider: Provider
  readonly account: Account
  readonly group: Group
  /** The provider's name of the model. */
  readonly model: string
  readonly tenant: ServingTenant
}

/**
 * Writes the client's request for the chosen account: bytes with a few spans replaced where the provider speaks the client's
 * format, else through the intermediate form.
 * @throws KorProxyError KP-PROV-112, 113, KP-SYS-516
 */
export function encode(exchange: Exchange, choice: Choice): PreparedRequest {
  const { operation } = exchange.surface
  switch (operation.kind) {
    case 'chat':
      return encodeChat(exchange, choice, operation.format)
    case 'embedding':
      return encodeEmbedding(exchange, choice, operation.format)
    case 'count-tokens':
      if (!choice.provider.countsTokens(operation.format)) {
        throw new KorProxyError('KP-PROV-113', { provider: choice.provider.name, operation: 'count tokens' })
      }
      return {
        kind: 'pass-other',
        operation: { kind: 'count-tokens', format: operation.format },
        body: passBody(exchange, choice, []),
      }
    case 'load-model':
      return encodeModelLoad(exchange, choice, operation)
    default:
      return {
        kind: 'pass-other',
        operation: { kind: 'other', method: exchange.request.method ?? 'GET', path: exchange.path },
        body: exchange.scan === undefined ? exchange.body : passBody(exchange, choice, []),
      }
  }
}

/** Only a server of Ollama's own has models to load. */
function encodeModelLoad(
  exchange: Exchange,
  choice: Choice,
  { of }: Extract<SurfaceOperation, { kind: 'load-model' }>,
): PreparedRequest {
  const { provider, account, model } = choice
  const isSpoken =
    of.kind === 'chat'
      ? provider.chatFormats(account, model).includes(of.format)
      : provider.embeddingFormats(account).includes(of.format)
  if (!isSpoken) throw new KorProxyError('KP-PROV-113', { provider: provider.name, operation: 'load a model' })
  return { kind: 'pass-other', operation: of, body: passBody(exchange, choice, []) }
}

const NO_TURNS: ChatRequest['turns'] = []
const NO_NAMES: ReadonlyMap<string, string> = new Map()

function encodeChat(exchange: Exchange, choice: Choice, clientFormat: ChatFormatName): PreparedRequest {
  const formats = choice.provider.chatFormats(choice.account, choice.model)
  const quirks = choice.provider.quirks(choice.account, choice.model)
  const issuer = choice.provider.issuer(choice.account, choice.model)
  if (formats.includes(clientFormat) && !(quirks.streamOnly === true && !exchange.stream)) {
    const edits = usageEdit(exchange, clientFormat, quirks.streamUsage !== false)
    return {
      kind: 'pass-chat',
      operation: { kind: 'chat', format: clientFormat },
      body: passBody(exchange, choice, edits),
      reading: { format: CHAT_FORMATS[clientFormat], context: { issuer, toolNames: NO_NAMES, jsonTool: undefined } },
      addedUsage: edits.length > 0,
    }
  }
  const format = formats.map((name) => CHAT_FORMATS[name]).find((candidate) => candidate.encodeRequest !== undefined)
  if (format?.encodeRequest === undefined) {
    throw new KorProxyError('KP-PROV-113', { provider: choice.provider.name, operation: clientFormat })
  }
  const decoded = decodedChat(exchange, clientFormat)
  const upstreamStream = exchange.stream || quirks.streamOnly === true
  const request: ChatRequest = { ...decoded, model: choice.model, stream: upstreamStream }
  const encoded = format.encodeRequest(request, targetModel(choice))
  noteDropped(exchange, decoded.dropped, encoded.dropped)
  // While the provider answers, the conversation is kept once, as bytes.
  const options: ChatRequest = { ...decoded, stream: exchange.stream, turns: NO_TURNS }
  return {
    kind: 'translate-chat',
    operation: { kind: 'chat', format: format.name },
    body: jsonBytes(encoded.body, exchange.body.length),
    reading: { format, context: encoded.replyContext },
    request: options,
    upstreamStream,
  }
}

/** The client's request in the intermediate form. */
function decodedChat(exchange: Exchange, format: ChatFormatName): ChatRequest {
  return CHAT_FORMATS[format].decodeRequest(parsedBody(exchange), {
    ...(exchange.surface.pathModel === undefined ? {} : { model: exchange.surface.pathModel }),
    ...(exchange.surface.pathStream === undefined ? {} : { stream: exchange.surface.pathStream }),
  })
}

function encodeEmbedding(exchange: Exchange, choice: Choice, clientFormat: EmbeddingFormatName): PreparedRequest {
  const formats = choice.provider.embeddingFormats(choice.account)
  const { withModel, decodeRequest } = EMBEDDING_FORMATS[clientFormat]
  if (formats.includes(clientFormat)) {
    const renames = withModel !== undefined && choice.model !== exchange.requestedModel
    return {
      kind: 'pass-embedding',
      operation: { kind: 'embedding', format: clientFormat },
      body: renames
        ? jsonBytes(withModel(parsedBody(exchange), choice.model), exchange.body.length)
        : passBody(exchange, choice, []),
      format: EMBEDDING_FORMATS[clientFormat],
    }
  }
  const [upstream] = formats
  if (upstream === undefined) {
    throw new KorProxyError('KP-PROV-113', { provider: choice.provider.name, operation: 'embeddings' })
  }
  const path = exchange.surface.pathModel === undefined ? {} : { model: exchange.surface.pathModel }
  const request = decodeRequest(parsedBody(exchange), path)
  const format = EMBEDDING_FORMATS[upstream]
  const encoded = format.encodeRequest({ ...request, model: choice.model }, targetModel(choice))
  noteDropped(exchange, request.dropped, encoded.dropped)
  return {
    kind: 'translate-embedding',
    operation: { kind: 'embedding', format: upstream },
    body: jsonBytes(encoded.body, exchange.body.length),
    format,
    request,
  }
}

/** The client's bytes; only the model's span (and `edits`) differ. */
function passBody(exchange: Exchange, choice: Choice, edits: readonly JsonEdit[]): Uint8Array {
  const { scan, body } = exchange
  if (scan === undefined) return body
  if (choice.model === exchange.requestedModel && edits.length === 0) return body
  const named = scan.members.has('model') && choice.model !== '' && choice.model !== exchange.requestedModel
  const inBody = named && exchange.surface.pathModel === undefined
  const all = inBody ? [...edits, setMember(scan, 'model', choice.model)] : edits
  return all.length === 0 ? body : spliceJson(body, all, Buffer.allocUnsafe)
}

/** Usage is needed for cost; OpenAI streams carry it only on request. The chunk that this adds is taken out of the reply again. */
function usageEdit(exchange: Exchange, format: ChatFormatName, supported: boolean): readonly JsonEdit[] {
  const { scan, body, stream } = exchange
  if (!stream || !supported || scan === undefined) return []
  if (format !== 'openai-chat' && format !== 'openai-completions') return []
  const options = readMember(body, scan, 'stream_options')
  if (options === undefined || options === null) return [setMember(scan, 'stream_options', { include_usage: true })]
  if (typeof options !== 'object' || Array.isArray(options)) return []
  // Neither null nor an array: an object.
  const members = options as JsonObject
  if (members['include_usage'] === true) return []
  return [setMember(scan, 'stream_options', { ...members, include_usage: true })]
}

/** Parsed anew for each attempt: what is kept while a provider answers is copied by V8's collector again and again. */
export function parsedBody({ body, scan }: Exchange): JsonObject {
  const value = parseScanned(body, scan)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new KorProxyError('KP-SYS-516', { message: 'body: expected a JSON object' })
  }
  // JSON.parse gives JSON values only.
  return value as JsonObject
}

/** What the catalogue and the provider know of the model that will answer. */
export function targetModel({ provider, account, model, group, tenant }: Choice): TargetModel {
  const facts: ModelFacts | undefined = tenant.catalogue.find(model)
  return {
    id: model,
    issuer: provider.issuer(account, model),
    ...(facts?.maxOutputTokens === undefined ? {} : { maxOutputTokens: facts.maxOutputTokens }),
    ...(facts?.contextWindow === undefined ? {} : { contextWindow: facts.contextWindow }),
    capabilities: { ...provider.capabilities(model), ...facts?.capabilities },
    quirks: { ...provider.quirks(account, model), onUnsupported: group.onUnsupported },
  }
}

/** Clients make up names: so many are told and counted. */
const MOST_DROPPED = 64

/** Adds names to what the client is told was left out. */
export function noteDropped({ droppedParameters }: Exchange, ...lists: readonly (readonly string[])[]): void {
  for (const name of lists.flat()) {
    if (droppedParameters.length >= MOST_DROPPED) return
    if (!droppedParameters.includes(name)) droppedParameters.push(name)
  }
}

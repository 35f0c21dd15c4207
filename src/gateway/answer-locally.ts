import { KorProxyError } from '#errors/korproxy-error.ts'
import type { JsonObject } from '#formats/ir/chat-request.ts'
import { encodeOllamaRunning, encodeOllamaVersion } from '#formats/ollama-shapes/ollama-shapes.ts'
import { FAMILY_SHAPES } from '#formats/registry.ts'
import type { Exchange } from './exchange.ts'
import type { ClientReply } from './reply/client-reply.ts'
import type { GatewayRuntime } from './runtime.ts'
import { findModelEntry, modelEntries } from './stages/list-models.ts'

/** Answers what needs no provider: lists of models, versions. Everything else goes on to a provider. */
export function answerLocally(
  runtime: GatewayRuntime,
  exchange: Exchange,
  client: ClientReply,
): 'answered' | 'not-mine' {
  const { surface } = exchange
  const shapes = FAMILY_SHAPES[surface.family]
  switch (surface.operation.kind) {
    case 'list-models':
      sendJson(client, shapes.encodeModelList(modelEntries(exchange)))
      return 'answered'
    case 'get-model':
      sendJson(client, shapes.encodeModel(findModelEntry(exchange, surface.operation.model)))
      return 'answered'
    case 'ollama-show':
      sendJson(client, shapes.encodeModel(findModelEntry(exchange, shownModel(exchange))))
      return 'answered'
    case 'ollama-version':
      sendJson(client, encodeOllamaVersion(runtime.options.version))
      return 'answered'
    case 'ollama-running':
      sendJson(client, encodeOllamaRunning())
      return 'answered'
    case 'unsupported':
      throw new KorProxyError('KP-SYS-518', { operation: `${exchange.request.method ?? ''} ${exchange.path}` })
    default:
      return 'not-mine'
  }
}

function sendJson(client: ClientReply, body: JsonObject): void {
  client.send(200, ['content-type', 'application/json'], Buffer.from(JSON.stringify(body)))
}

/** Newer Ollama clients say `model`, older ones `name`. */
function shownModel({ body }: Exchange): string {
  const value: unknown = JSON.parse(Buffer.from(body).toString('utf8'))
  if (typeof value === 'object' && value !== null) {
    if ('model' in value && typeof value.model === 'string') return value.model
    if ('name' in value && typeof value.name === 'string') return value.name
  }
  throw new KorProxyError('KP-SYS-516', { message: 'model: required' })
}

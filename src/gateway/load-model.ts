import { KorProxyError } from '#errors/korproxy-error.ts'
import { readMember } from '#formats/json-scan/edit-member.ts'
import type { JsonMember } from '#formats/json-scan/scan-json.ts'
import { encodeOllamaLoad } from '#formats/ollama-shapes/ollama-shapes.ts'
import { AttemptLoop } from './attempt-loop.ts'
import type { Exchange } from './exchange.ts'
import type { ClientReply } from './reply/client-reply.ts'
import type { GatewayRuntime } from './runtime.ts'
import type { Surface } from './surface.ts'

/** Where the question of each call stands. */
const QUESTIONS: Partial<Readonly<Record<string, string>>> = {
  'ollama-chat': 'messages',
  'ollama-generate': 'prompt',
  'ollama-embed': 'input',
  'ollama-embeddings': 'prompt',
}

/**
 * A call without a question, which Ollama's clients send before the first one: the model is to be loaded, or unloaded. Undefined for any
 * other request.
 * @see https://github.com/ollama/ollama/blob/main/docs/api.md#load-a-model
 */
export function modelLoadSurface({ surface, scan, body }: Exchange): Surface | undefined {
  const { family, operation } = surface
  if (family !== 'ollama' || (operation.kind !== 'chat' && operation.kind !== 'embedding')) return undefined
  const question = scan?.members.get(QUESTIONS[operation.format] ?? '')
  return isEmpty(question, body) ? { ...surface, operation: { kind: 'load-model', of: operation } } : undefined
}

const SPACES: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d])

function isEmpty(member: JsonMember | undefined, body: Uint8Array): boolean {
  if (member === undefined || member.type === 'null') return true
  if (member.type !== 'string' && member.type !== 'array') return false
  const inside = body.subarray(member.valueStart + 1, member.valueEnd - 1)
  return member.type === 'string' ? inside.length === 0 : inside.every((byte) => SPACES.has(byte))
}

/** An Ollama server loads the model. Elsewhere there is nothing to load: the gateway gives Ollama's answer itself. */
export async function loadModel(runtime: GatewayRuntime, exchange: Exchange, client: ClientReply): Promise<void> {
  try {
    await new AttemptLoop(runtime, exchange, client).run()
  } catch (error) {
    if (!(error instanceof KorProxyError) || error.code !== 'KP-PROV-113') throw error
    const reply = encodeOllamaLoad({
      endpoint: exchange.path,
      model: exchange.requestedModel,
      nowMs: runtime.now(),
      reason: isNothing(exchange) ? 'unload' : 'load',
    })
    client.send(200, ['content-type', 'application/json'], Buffer.from(`${JSON.stringify(reply)}\n`))
  }
}

/** Go's text of a duration. Every number of several has a unit, or there would be 2ⁿ ways to read n zeros. @see https://pkg.go.dev/time#ParseDuration */
const NO_TIME = /^[+-]?(?:0+(?:\.0*)?|(?:0+(?:\.0*)?(?:ns|us|µs|ms|[hms]))+)$/

/** `keep_alive` of no time: seconds, or a duration as text. */
function isNothing({ scan, body }: Exchange): boolean {
  const keepAlive = scan === undefined ? undefined : readMember(body, scan, 'keep_alive')
  return keepAlive === 0 || (typeof keepAlive === 'string' && NO_TIME.test(keepAlive))
}

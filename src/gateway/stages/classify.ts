import { KorProxyError } from '#errors/korproxy-error.ts'
import { readPlainString } from '#formats/json-scan/read-string.ts'
import type { JsonScan } from '#formats/json-scan/scan-json.ts'
import { type ClassifiedType, type ClassifyFacts, classify as classifyType } from '#routing/classify.ts'
import type { Client, RequestType } from '#table/routing-table.ts'
import type { ServingTenant } from '../serving-table.ts'
import type { HeaderReader, Surface } from '../surface.ts'

export interface Classification {
  readonly requestType: RequestType
  readonly requestedModel: string
  readonly stream: boolean
}

export interface ClassifyInput {
  readonly surface: Surface
  readonly tenant: ServingTenant
  readonly client: Client | undefined
  readonly header: HeaderReader
  readonly body: Uint8Array
  readonly scan: JsonScan | undefined
}

type TypeInput = Pick<ClassifyInput, 'tenant' | 'client' | 'header'>

const NO_KEYS: ReadonlySet<string> = new Set()

/** Names of models are remembered, logged and put into URLs. */
const LONGEST_MODEL = 512

/** As in `true`. */
const LETTER_T = 0x74

/** What is asked: type, model, streaming. @throws KorProxyError KP-AUTH-007, KP-SYS-516 */
export function classify(input: ClassifyInput): Classification {
  const { surface, scan, body } = input
  const model = surface.pathModel ?? readModel(body, scan)
  const needsModel = surface.operation.kind !== 'other'
  if (needsModel && (model === undefined || model === '')) {
    throw new KorProxyError('KP-SYS-516', { message: 'model: required' })
  }
  if (model !== undefined && model.length > LONGEST_MODEL) {
    throw new KorProxyError('KP-SYS-516', { message: `model: longer than ${LONGEST_MODEL} characters` })
  }
  const stream = surface.pathStream ?? readStream(input)
  const facts = { pathType: surface.requestType, model, bodyKeys: scan?.members ?? NO_KEYS }
  return { requestType: decideType(input, facts).type, requestedModel: model ?? '', stream }
}

/** The type of a request, and what said so. @throws KorProxyError KP-AUTH-007, KP-SYS-516 */
export function decideType(input: TypeInput, facts: Omit<ClassifyFacts, 'override'>): ClassifiedType {
  return classifyType({ ...facts, override: typeOverride(input) }, input.tenant.router.families)
}

function readModel(body: Uint8Array, scan: JsonScan | undefined): string | undefined {
  const member = scan?.members.get('model')
  if (member === undefined) return undefined
  if (member.type !== 'string') throw new KorProxyError('KP-SYS-516', { message: 'model: expected a string' })
  return readPlainString(body, member.valueStart, member.valueEnd)
}

/** Ollama streams unless told otherwise, but nothing when it loads a model; everybody else the other way round. */
function readStream({ body, scan, surface }: ClassifyInput): boolean {
  const isOllamaChat = surface.family === 'ollama' && surface.operation.kind === 'chat'
  const member = scan?.members.get('stream')
  if (member === undefined || member.type === 'null') return isOllamaChat
  if (member.type !== 'boolean') throw new KorProxyError('KP-SYS-516', { message: 'stream: expected true or false' })
  return body[member.valueStart] === LETTER_T && surface.operation.kind !== 'load-model'
}

const TYPES: readonly RequestType[] = ['chat', 'completion', 'embedding', 'other']

function typeOverride({ header, client }: TypeInput): RequestType | undefined {
  const text = header('x-korproxy-request-type')
  if (text === undefined) return undefined
  checkOverrideAllowed(client, 'X-KorProxy-Request-Type')
  const type = TYPES.find((candidate) => candidate === text.toLowerCase())
  if (type === undefined) {
    throw new KorProxyError('KP-SYS-516', { message: `X-KorProxy-Request-Type: expected one of ${TYPES.join(', ')}` })
  }
  return type
}

/** Without client authentication nobody is there to restrict. @throws KorProxyError KP-AUTH-007 */
function checkOverrideAllowed(client: Client | undefined, header: string): void {
  if (client?.profileOverride === 'Deny') throw new KorProxyError('KP-AUTH-007', { client: client.name, header })
}

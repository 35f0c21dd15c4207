import { KorProxyError } from '#errors/korproxy-error.ts'
import { readMember } from '#formats/json-scan/edit-member.ts'
import type { JsonScan } from '#formats/json-scan/scan-json.ts'
import { classify as decideType } from '#routing/classify.ts'
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

/** Names of models are remembered, logged and put into URLs. */
const LONGEST_MODEL = 512

const NO_KEYS: ReadonlySet<string> = new Set()

/** What is asked: type, model, streaming. @throws KorProxyError KP-AUTH-007, KP-SYS-516 */
export function classify(input: ClassifyInput): Classification {
  const { surface, scan, body, tenant } = input
  const model = surface.pathModel ?? readModel(body, scan)
  const needsModel = surface.operation.kind !== 'other'
  if (needsModel && (model === undefined || model === '')) {
    throw new KorProxyError('KP-SYS-516', { message: 'model: required' })
  }
  if (model !== undefined && model.length > LONGEST_MODEL) {
    throw new KorProxyError('KP-SYS-516', { message: `model: longer than ${LONGEST_MODEL} characters` })
  }
  const override = typeOverride(input)
  const { type } = decideType(
    {
      ...(override === undefined ? {} : { override }),
      pathType: surface.requestType,
      model,
      // For every known API the path decides; the keys are looked at only where it does not.
      bodyKeys: surface.requestType === undefined ? new Set(scan?.members.keys()) : NO_KEYS,
    },
    tenant.router.families,
  )
  return { requestType: type, requestedModel: model ?? '', stream: surface.pathStream ?? readStream(input) }
}

function readModel(body: Uint8Array, scan: JsonScan | undefined): string | undefined {
  if (scan?.members.get('model') === undefined) return undefined
  const value = readMember(body, scan, 'model')
  if (typeof value !== 'string') throw new KorProxyError('KP-SYS-516', { message: 'model: expected a string' })
  return value
}

/** Ollama streams unless told otherwise; everybody else the other way round. */
function readStream({ body, scan, surface }: ClassifyInput): boolean {
  const isOllamaChat = surface.family === 'ollama' && surface.operation.kind === 'chat'
  if (scan?.members.get('stream') === undefined) return isOllamaChat
  const value = readMember(body, scan, 'stream')
  if (value === null) return isOllamaChat
  if (typeof value !== 'boolean') throw new KorProxyError('KP-SYS-516', { message: 'stream: expected true or false' })
  return value
}

const TYPES: readonly RequestType[] = ['chat', 'completion', 'embedding', 'other']

function typeOverride({ header, client }: ClassifyInput): RequestType | undefined {
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

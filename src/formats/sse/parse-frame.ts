import { KorProxyError } from '#errors/korproxy-error.ts'
import type { Frame } from '../format.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import { isJsonObject } from '../ir/json-fields.ts'

/** The JSON object in a frame. @throws KorProxyError KP-PROV-109 for anything else */
export function parseFrame({ data }: Frame): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(data)
  } catch (error) {
    throw brokenFrame('an event is not valid JSON', error)
  }
  if (!isJsonObject(value)) throw brokenFrame('an event is not a JSON object', undefined)
  return value
}

function brokenFrame(reason: string, cause: unknown): KorProxyError {
  return new KorProxyError('KP-PROV-109', { reason }, { cause })
}

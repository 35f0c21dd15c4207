import type { JsonObject } from '../ir/chat-request.ts'
import { objectSchema } from '../ir/object-schema.ts'
import { unsupported } from './encode-content.ts'

/** What Anthropic takes as `input_schema`. @throws KorProxyError KP-PROV-112 when the root is not an object */
export function toolInputSchema(schema: JsonObject | undefined, parameter: string): JsonObject {
  const input = objectSchema(schema)
  if (input === undefined) throw unsupported(parameter, 'the schema of a tool must be an object at its root')
  return input
}

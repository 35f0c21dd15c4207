import type { JsonObject, Tool } from '../ir/chat-request.ts'
import type { DroppedParameters } from '../ir/dropped-parameters.ts'
import { objectSchema } from '../ir/object-schema.ts'
import { unsupported } from './encode-content.ts'

/** What Anthropic takes as `input_schema`. @throws KorProxyError KP-PROV-112 when the root is not an object */
export function toolInputSchema(tool: Pick<Tool, 'name' | 'parameters'>, dropped: DroppedParameters): JsonObject {
  const input = objectSchema(tool.parameters, () => dropped.add('tools.input_schema'))
  if (input === undefined) throw unsupported(`tools.${tool.name}`, 'the schema of a tool must be an object at its root')
  return input
}

import { KorProxyError } from '#errors/korproxy-error.ts'
import type { TargetModel } from '../format.ts'
import type { JsonObject, Tool } from '../ir/chat-request.ts'
import type { DroppedParameters } from '../ir/dropped-parameters.ts'
import { objectSchema } from '../ir/object-schema.ts'
import { fitsStrictMode } from './strict-schema.ts'

export interface ToolParameters {
  readonly parameters: JsonObject
  readonly strict: boolean | undefined
}

/** The schema of a tool as OpenAI takes it. @throws KorProxyError KP-PROV-112 when its root is not an object */
export function toolParameters(tool: Tool, target: TargetModel, dropped: DroppedParameters): ToolParameters {
  const parameters = objectSchema(tool.parameters, () => dropped.add('tools.parameters'))
  if (parameters === undefined) {
    const reason = 'the schema of a tool must be an object at its root.'
    throw new KorProxyError('KP-PROV-112', { parameter: `tools.${tool.name}`, target: target.id, reason })
  }
  return { parameters, strict: strictness(tool.strict, parameters, { dropped, parameter: 'tools.strict' }) }
}

/** Other providers are less strict about strict schemas: where OpenAI would refuse one, its model is told the schema without the guarantee. */
export function strictness(
  strict: boolean | undefined,
  schema: JsonObject,
  { dropped, parameter }: { readonly dropped: DroppedParameters; readonly parameter: string },
): boolean | undefined {
  if (strict !== true || fitsStrictMode(schema)) return strict
  dropped.add(parameter)
  return false
}

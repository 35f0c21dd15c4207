import type { TargetModel } from '../format.ts'
import type { ChatRequest, JsonObject, TextPart } from '../ir/chat-request.ts'
import type { DroppedParameters } from '../ir/dropped-parameters.ts'
import { jsonFields } from '../ir/json-fields.ts'
import { mentionsJson } from '../ir/mentions-json.ts'
import { schemaName } from './schema-name.ts'
import { strictness } from './tool-parameters.ts'

/** What JSON mode wants to be said in some message. */
export const JSON_INSTRUCTION: TextPart = { type: 'text', text: 'Answer only with JSON.' }

export interface EncodedResponseFormat {
  readonly field: JsonObject | undefined
  /** Said to the model where the field cannot. */
  readonly instructions: readonly TextPart[]
}

/** A model without JSON schemas gets JSON mode and the schema in words. */
export function encodeResponseFormat(
  request: ChatRequest,
  target: TargetModel,
  dropped: DroppedParameters,
): EncodedResponseFormat {
  const { responseFormat: format, system, turns } = request
  switch (format?.type) {
    case undefined:
    case 'text':
      return { field: undefined, instructions: [] }
    case 'json':
      return { field: { type: 'json_object' }, instructions: mentionsJson(system, turns) ? [] : [JSON_INSTRUCTION] }
    case 'json-schema': {
      if (target.capabilities.jsonSchema === false) {
        return { field: { type: 'json_object' }, instructions: [schemaInstruction(format.schema)] }
      }
      const { description, schema } = format
      const strict = strictness(format.strict, schema, { dropped, parameter: 'response_format.strict' })
      const json_schema = jsonFields({ name: schemaName(format.name), description, schema, strict })
      return { field: { type: 'json_schema', json_schema }, instructions: [] }
    }
  }
}

/** The schema in words, for models that take none. */
export function schemaInstruction(schema: JsonObject): TextPart {
  return { type: 'text', text: `Answer only with JSON that follows this JSON schema:\n${JSON.stringify(schema)}` }
}

import type { TargetModel } from '../format.ts'
import type { ChatRequest, JsonObject, TextPart } from '../ir/chat-request.ts'
import type { DroppedParameters } from '../ir/dropped-parameters.ts'
import { jsonFields } from '../ir/json-fields.ts'
import { mentionsJson } from '../ir/mentions-json.ts'
import { objectSchema } from '../ir/object-schema.ts'
import { schemaName } from './schema-name.ts'
import { strictness } from './tool-parameters.ts'

/** What JSON mode wants to be said in some message. */
export const JSON_INSTRUCTION: TextPart = { type: 'text', text: 'Answer only with JSON.' }

export interface EncodedResponseFormat {
  readonly field: JsonObject | undefined
  /** Said to the model where the field cannot. */
  readonly instructions: readonly TextPart[]
}

/** A model without JSON schemas gets JSON mode and the schema in words; for a list the words must do, as JSON mode gives objects only. */
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
      const { description } = format
      const instructions = [schemaInstruction(format.schema)]
      const schema = answerSchema(format.schema, () => dropped.add('response_format.schema'))
      if (schema === undefined) {
        if (format.strict === true) dropped.add('response_format.strict')
        return { field: undefined, instructions }
      }
      if (target.capabilities.jsonSchema === false) return { field: { type: 'json_object' }, instructions }
      const strict = strictness(format.strict, schema, { dropped, parameter: 'response_format.strict' })
      const json_schema = jsonFields({ name: schemaName(format.name), description, schema, strict })
      return { field: { type: 'json_schema', json_schema }, instructions: [] }
    }
  }
}

/**
 * The schema with an object at its root, which is all that OpenAI takes for an answer; undefined when the answer is no object.
 * @see https://platform.openai.com/docs/guides/structured-outputs#root-objects-must-not-be-anyof-and-must-be-an-object
 */
export function answerSchema(schema: JsonObject, onCut: () => void): JsonObject | undefined {
  return schema['type'] === 'object' ? schema : objectSchema(schema, onCut)
}

/** The schema in words, for models that take none. */
export function schemaInstruction(schema: JsonObject): TextPart {
  return { type: 'text', text: `Answer only with JSON that follows this JSON schema:\n${JSON.stringify(schema)}` }
}

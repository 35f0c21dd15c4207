import type { TargetModel } from '../format.ts'
import type { ChatRequest, JsonObject, SystemTurn } from '../ir/chat-request.ts'
import type { DroppedParameters } from '../ir/dropped-parameters.ts'
import { jsonFields } from '../ir/json-fields.ts'
import { mentionsJson } from '../ir/mentions-json.ts'
import { answerSchema, JSON_INSTRUCTION, schemaInstruction } from '../openai-chat/response-format.ts'
import { schemaName } from '../openai-chat/schema-name.ts'
import { strictness } from '../openai-chat/tool-parameters.ts'

const JSON_MODE: JsonObject = { format: { type: 'json_object' } }

export interface EncodedTextFormat {
  readonly text: JsonObject | undefined
  /** Said in the input: JSON mode looks for its word there and not in `instructions`. */
  readonly turns: readonly SystemTurn[]
}

/** A model without JSON schemas gets JSON mode and the schema in words; for a list the words must do, as JSON mode gives objects only. */
export function encodeTextFormat(
  { responseFormat, turns }: ChatRequest,
  target: TargetModel,
  dropped: DroppedParameters,
): EncodedTextFormat {
  switch (responseFormat?.type) {
    case undefined:
    case 'text':
      return { text: undefined, turns: [] }
    case 'json':
      return { text: JSON_MODE, turns: mentionsJson([], turns) ? [] : [{ role: 'system', parts: [JSON_INSTRUCTION] }] }
    case 'json-schema': {
      const { name, description } = responseFormat
      const words: readonly SystemTurn[] = [{ role: 'system', parts: [schemaInstruction(responseFormat.schema)] }]
      const schema = answerSchema(responseFormat.schema, () => dropped.add('text.format.schema'))
      if (schema === undefined) {
        if (responseFormat.strict === true) dropped.add('text.format.strict')
        return { text: undefined, turns: words }
      }
      if (target.capabilities.jsonSchema === false) return { text: JSON_MODE, turns: words }
      const strict = strictness(responseFormat.strict, schema, { dropped, parameter: 'text.format.strict' })
      return {
        text: { format: jsonFields({ type: 'json_schema', name: schemaName(name), description, schema, strict }) },
        turns: [],
      }
    }
  }
}

import type { TargetModel } from '../format.ts'
import type { JsonObject, ResponseFormat, TextPart } from '../ir/chat-request.ts'
import { jsonFields } from '../ir/json-fields.ts'

export interface EncodedResponseFormat {
  readonly field: JsonObject | undefined
  /** Said to the model where the field cannot. */
  readonly instructions: readonly TextPart[]
}

/** A model without JSON schemas gets JSON mode and the schema in words. */
export function encodeResponseFormat(format: ResponseFormat | undefined, target: TargetModel): EncodedResponseFormat {
  switch (format?.type) {
    case undefined:
    case 'text':
      return { field: undefined, instructions: [] }
    case 'json':
      return { field: { type: 'json_object' }, instructions: [] }
    case 'json-schema': {
      if (target.capabilities.jsonSchema === false) {
        const text = `Answer only with JSON that follows this JSON schema:\n${JSON.stringify(format.schema)}`
        return { field: { type: 'json_object' }, instructions: [{ type: 'text', text }] }
      }
      const { description, schema, strict } = format
      const json_schema = jsonFields({ name: schemaName(format.name), description, schema, strict })
      return { field: { type: 'json_schema', json_schema }, instructions: [] }
    }
  }
}

/** OpenAI allows 64 letters, digits, dashes and underscores; other formats have no name or a freer one. */
function schemaName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 64) || 'answer'
}

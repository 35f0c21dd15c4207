import type { JsonObject } from '../ir/chat-request.ts'
import { isJsonObject } from '../ir/json-fields.ts'

/** What a custom tool looks like to formats that have only functions: one string, named `input`. */
export const CUSTOM_PARAMETERS: JsonObject = {
  type: 'object',
  properties: { input: { type: 'string' } },
  required: ['input'],
  additionalProperties: false,
}

export function wrapCustomInput(input: string): string {
  return JSON.stringify({ input })
}

/** The free text of a custom tool call. Arguments that are not `{"input": text}` are themselves the text: a model may have ignored the wrapping. */
export function unwrapCustomInput(text: string): string {
  try {
    const value: unknown = JSON.parse(text)
    const input = isJsonObject(value) ? value['input'] : undefined
    return typeof input === 'string' ? input : text
  } catch {
    // Not JSON: see above.
    return text
  }
}

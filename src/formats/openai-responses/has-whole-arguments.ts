import { isJsonObject } from '../ir/json-fields.ts'

/** Whether the text is a JSON object to its end. Where it is not, only the end of the reply tells if the call was cut off. */
export function hasWholeArguments(text: string): boolean {
  try {
    return isJsonObject(JSON.parse(text))
  } catch {
    // Not JSON, or not all of it.
    return false
  }
}

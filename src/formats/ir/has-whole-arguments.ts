import { parseJsonObject } from './parse-json-object.ts'

/** Whether the text is a JSON object to its end. Where it is not, only the end of the reply tells if the call was cut off. */
export function hasWholeArguments(text: string): boolean {
  return parseJsonObject(text) !== undefined
}

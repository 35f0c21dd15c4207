import type { JsonObject } from '../ir/chat-request.ts'
import { parseJsonObject } from '../ir/parse-json-object.ts'

/** Ollama wants an object where others have JSON text. Text that is none, as a cut answer leaves it, counts as no arguments. */
export function parseArguments(text: string): JsonObject {
  return parseJsonObject(text) ?? {}
}

/** The same as JSON text on one line. The text of the model stays, so that numbers keep their digits. */
export function argumentsLine(text: string): string {
  if (parseJsonObject(text) === undefined) return '{}'
  // In valid JSON a line break can only stand between tokens.
  return text.replaceAll(/[\r\n]+/g, ' ')
}

/** Whether a call can be made with these arguments: a cut answer leaves half of them. */
export function areWhole(text: string): boolean {
  return text === '' || parseJsonObject(text) !== undefined
}

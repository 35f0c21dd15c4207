import type { JsonObject } from '../ir/chat-request.ts'
import { isJsonObject } from '../ir/json-fields.ts'

/** Ollama wants an object where others have JSON text. Text that is none, as a cut answer leaves it, counts as no arguments. */
export function parseArguments(text: string): JsonObject {
  return readArguments(text) ?? {}
}

/** The same as JSON text on one line. The text of the model stays, so that numbers keep their digits. */
export function argumentsLine(text: string): string {
  if (readArguments(text) === undefined) return '{}'
  // In valid JSON a line break can only stand between tokens.
  return text.replaceAll(/[\r\n]+/g, ' ')
}

/** Whether a call can be made with these arguments: a cut answer leaves half of them. */
export function areWhole(text: string): boolean {
  return text === '' || readArguments(text) !== undefined
}

function readArguments(text: string): JsonObject | undefined {
  if (text === '') return undefined
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? value : undefined
  } catch {
    // Said above.
    return undefined
  }
}

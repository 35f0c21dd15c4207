import type { JsonObject } from './chat-request.ts'
import { isJsonObject } from './json-fields.ts'

/** The object that a JSON text says, or undefined when it is empty, not JSON, or something else than an object. */
export function parseJsonObject(text: string): JsonObject | undefined {
  if (!/^\s*\{/.test(text)) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? value : undefined
  } catch {
    // The caller says what stands for a text that is not JSON.
    return undefined
  }
}

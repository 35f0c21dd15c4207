/** Parts of the language that TypeScript's library does not describe yet. @see https://tc39.es/proposal-json-parse-with-source/ */
interface JsonWithSource {
  parse(text: string, reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown): unknown
  rawJSON(text: string): unknown
}

// Node 22 and later have both.
const EXACT = JSON as unknown as JsonWithSource

/** Parses JSON so that `JSON.stringify` writes every number with the digits that it came with. Slower than `JSON.parse` alone. */
export function parseExactly(text: string): unknown {
  return EXACT.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source ? EXACT.rawJSON(source) : value,
  )
}

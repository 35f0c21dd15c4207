import { KorProxyError } from '#errors/korproxy-error.ts'
import { scanJson } from '#formats/json-scan/scan-json.ts'

const MAX_DEPTH = 100

/** Where a text stops being JSON; undefined when it is JSON. Lines and columns count from 1. */
export function locateJsonError(text: string): { readonly line: number; readonly column: number } | undefined {
  const bytes = new TextEncoder().encode(text)
  try {
    scanJson(bytes, { maxDepth: MAX_DEPTH })
    return undefined
  } catch (error) {
    if (!(error instanceof KorProxyError)) throw error
    // The scanner names the offset in its reason; at the end of the text it names the length.
    const offset = Number(/(\d+)$/.exec(String(error.details['reason'] ?? '0'))?.[1] ?? 0)
    const before = new TextDecoder().decode(bytes.subarray(0, offset)).split('\n')
    return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
  }
}

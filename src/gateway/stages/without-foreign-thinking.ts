import type { TargetModel } from '#formats/format.ts'
import { isJsonObject } from '#formats/ir/json-fields.ts'
import type { PreparedRequest } from './encode.ts'
import { parseExactly } from './exact-json.ts'

/** What is sent to a provider that refused the thinking of earlier turns, and the names of what went; undefined: there is none in it. */
export function withoutForeignThinking(
  prepared: PreparedRequest,
  target: TargetModel,
): { readonly prepared: PreparedRequest; readonly dropped: readonly string[] } | undefined {
  if (prepared.kind !== 'pass-chat' && prepared.kind !== 'translate-chat') return undefined
  const strip = prepared.reading.format.withoutThinking
  if (strip === undefined) return undefined
  const body = parseExactly(new TextDecoder().decode(prepared.body))
  const stripped = isJsonObject(body) ? strip(body, target) : undefined
  if (stripped === undefined) return undefined
  return { prepared: { ...prepared, body: Buffer.from(JSON.stringify(stripped.body)) }, dropped: stripped.dropped }
}

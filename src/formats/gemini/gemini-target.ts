import type { TargetModel } from '../format.ts'
import type { ToolNameMap } from '../ir/tool-names.ts'

/** Who will read the request, and what it calls the client's tools. */
export interface GeminiTarget {
  readonly model: TargetModel
  readonly toolNames: ToolNameMap
}

/** `thinkingLevel` came with Gemini 3, as did images in function responses and tools together with a schema. */
export function isThirdGeneration(target: TargetModel): boolean {
  return target.capabilities.thinkingLevel === true
}

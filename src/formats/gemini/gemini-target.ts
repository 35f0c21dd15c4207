import type { TargetModel } from '../format.ts'
import type { DroppedParameters } from '../ir/dropped-parameters.ts'
import type { ToolNameMap } from '../ir/tool-names.ts'

/** Who will read the request, what it calls the client's tools, and what it cannot be told. */
export interface GeminiTarget {
  readonly model: TargetModel
  readonly toolNames: ToolNameMap
  readonly dropped: DroppedParameters
}

/** `thinkingLevel` came with Gemini 3, as did images in function responses and tools together with a schema. */
export function isThirdGeneration(target: TargetModel): boolean {
  return target.capabilities.thinkingLevel === true
}

import type { TargetModel } from '../format.ts'
import type { DroppedParameters } from '../ir/dropped-parameters.ts'
import type { ToolNameMap } from '../ir/tool-names.ts'

export interface EncodingContext {
  readonly target: TargetModel
  readonly names: ToolNameMap
  readonly dropped: DroppedParameters
}

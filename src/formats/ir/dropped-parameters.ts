import { KorProxyError } from '#errors/korproxy-error.ts'
import type { TargetModel } from '../format.ts'

/** What a translation leaves out, in the words of the format that is written; each name once. */
export interface DroppedParameters {
  add(parameter: string): void
  /**
   * For parameters without which the answer would have another shape.
   * @throws KorProxyError KP-PROV-112 unless the target's policy is to drop them
   */
  addOrRefuse(parameter: string, reason: string): void
  list(): readonly string[]
}

export function droppedParameters(target: TargetModel): DroppedParameters {
  const names = new Set<string>()
  return {
    add: (parameter) => {
      names.add(parameter)
    },
    addOrRefuse: (parameter, reason) => {
      if (target.quirks.onUnsupported === 'Error') {
        throw new KorProxyError('KP-PROV-112', { parameter, target: target.id, reason })
      }
      names.add(parameter)
    },
    list: () => [...names],
  }
}

import type { ObservedObject } from '#controller/sources/observed-objects.ts'
import { type Condition, readConditions } from '#controller/status/conditions.ts'
import { previousText } from '#controller/status/previous-status.ts'
import { isRecord } from '#resources/finding.ts'

/** What an object passes on its way to the gateways, in order. `Observed`: the controller has seen this generation. */
const STAGES = ['Accepted', 'ResolvedRefs', 'Programmed'] as const

/** How far an object has come. */
export interface ObjectProgress {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  /** What was last applied. */
  readonly generation: number
  /** What the controller has looked at; absent before it ever did. */
  readonly observedGeneration?: number
  /** Live: every gateway runs it as it was applied. Pending: on its way. Stuck: it stays where it is until somebody does something. */
  readonly state: 'live' | 'pending' | 'stuck'
  /** Where it is, if it is not live; for a live object that does not do its work: Ready. */
  readonly stage?: 'Observed' | (typeof STAGES)[number] | 'Ready'
  readonly reason?: string
  readonly message?: string
  /** Gateways that run it / gateways known, e.g. `2/3`. */
  readonly gateways?: string
  readonly conditions: readonly Condition[]
}

/** Reads an object's own status: what the controller says of this very generation, and of no other. */
export function progressOf({ ref, generation, status }: ObservedObject): ObjectProgress {
  const conditions = readConditions(status)
  const observed = isRecord(status) ? status['observedGeneration'] : undefined
  const gateways = previousText(status, 'programmedGateways')
  return {
    ...ref,
    generation,
    ...(typeof observed === 'number' && { observedGeneration: observed }),
    ...verdictOf(conditions, generation, typeof observed === 'number' ? observed : undefined),
    ...(gateways !== undefined && { gateways }),
    conditions,
  }
}

type Verdict = Pick<ObjectProgress, 'state' | 'stage' | 'reason' | 'message'>

function verdictOf(conditions: readonly Condition[], generation: number, observed: number | undefined): Verdict {
  if (observed === undefined) {
    return { state: 'pending', stage: 'Observed', reason: 'Unseen', message: 'No controller has looked at it yet.' }
  }
  if (observed < generation) {
    const message = `The controller has seen generation ${observed}, not ${generation} yet.`
    return { state: 'pending', stage: 'Observed', reason: 'Outdated', message }
  }
  const find = (type: string): Condition | undefined => conditions.find((condition) => condition.type === type)
  for (const stage of STAGES) {
    const condition = find(stage)
    if (condition === undefined || condition.observedGeneration < generation) {
      return { state: 'pending', stage, reason: 'Unknown', message: 'The controller has not judged it yet.' }
    }
    const { status, reason, message } = condition
    if (status !== 'True') return { state: status === 'False' ? 'stuck' : 'pending', stage, reason, message }
  }
  const ready = find('Ready')
  if (ready?.status !== 'False') return { state: 'live' }
  return { state: 'live', stage: 'Ready', reason: ready.reason, message: ready.message }
}

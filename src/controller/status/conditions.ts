import { isRecord } from '#resources/finding.ts'

type ConditionStatus = 'True' | 'False' | 'Unknown'
export type ConditionType = 'Accepted' | 'ResolvedRefs' | 'Programmed' | 'Ready'

/** What is said, before it is known since when. */
export interface Verdict {
  readonly status: ConditionStatus
  /** One word for programs. */
  readonly reason: string
  /** A sentence for people. */
  readonly message: string
}

/** @see https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#typical-status-properties */
export interface Condition extends Verdict {
  readonly type: string
  readonly observedGeneration: number
  /** RFC 3339. */
  readonly lastTransitionTime: string
}

const MAX_MESSAGE_LENGTH = 2048

/** The time of the last change is kept as long as the status stays the same, whatever reason and message say. */
export function stampCondition(
  type: ConditionType,
  { status, reason, message }: Verdict,
  observedGeneration: number,
  { previous, now }: { readonly previous: readonly Condition[]; readonly now: string },
): Condition {
  const before = previous.find((condition) => condition.type === type)
  const lastTransitionTime = before?.status === status ? before.lastTransitionTime : now
  const text = message.length > MAX_MESSAGE_LENGTH ? `${message.slice(0, MAX_MESSAGE_LENGTH - 1)}…` : message
  return { type, status, observedGeneration, lastTransitionTime, reason, message: text }
}

/** The conditions of a status as the API server has it; anything else in the list is left out. */
export function readConditions(status: unknown): readonly Condition[] {
  const conditions = isRecord(status) ? status['conditions'] : undefined
  return Array.isArray(conditions) ? conditions.filter(isCondition) : []
}

function isCondition(value: unknown): value is Condition {
  return (
    isRecord(value) &&
    ['type', 'status', 'reason', 'message', 'lastTransitionTime'].every((field) => typeof value[field] === 'string')
  )
}

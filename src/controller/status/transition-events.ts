import { isRecord } from '#resources/finding.ts'
import type { RecordedEvent } from '../kube/event-recorder.ts'
import type { ObservedObject } from '../sources/observed-objects.ts'
import { WITH_WARNINGS } from './acceptance.ts'
import { type Condition, readConditions } from './conditions.ts'
import { previousText } from './previous-status.ts'
import type { ObjectStatus } from './status-of.ts'

type Occurrence = Pick<RecordedEvent, 'type' | 'reason' | 'action' | 'note'>

/** What is worth an Event when a status becomes another. Pure. */
export function transitionEvents(object: ObservedObject, after: ObjectStatus): readonly RecordedEvent[] {
  const occurrences = [
    ...conditionEvents(readConditions(object.status), after.conditions),
    ...healthEvents(object.status, after),
    ...switchEvents(object.status, after),
    ...limitEvents(object.status, after),
  ]
  return occurrences.map((occurrence) => ({ ref: object.ref, uid: object.uid, ...occurrence }))
}

/** Conditions that became false, warnings, and acceptance that came back. What only waits for something says nothing. */
function conditionEvents(before: readonly Condition[], after: readonly Condition[]): Occurrence[] {
  return after.flatMap(({ type, status, reason, message }): Occurrence[] => {
    const was = before.find((condition) => condition.type === type)
    if (type === 'Ready' || (was?.status === status && was.reason === reason)) return []
    const failed = status === 'False' && !['NotAccepted', 'NotInTable'].includes(reason)
    if (failed || reason === WITH_WARNINGS)
      return [{ type: 'Warning', reason, action: ACTIONS[type] ?? 'Watch', note: message }]
    const recovered = status === 'True' && was?.status === 'False'
    return recovered ? [{ type: 'Normal', reason, action: ACTIONS[type] ?? 'Watch', note: message }] : []
  })
}

const ACTIONS: Readonly<Record<string, string>> = {
  Accepted: 'Validate',
  ResolvedRefs: 'Resolve',
  Programmed: 'Publish',
}

function healthEvents(before: unknown, after: ObjectStatus): Occurrence[] {
  const [was, is] = [previousText(before, 'health'), previousText(after, 'health')]
  if (is === 'erroring' && was !== 'erroring') {
    const note = `The account fails: ${previousText(after, 'lastErrorCode') ?? ''} ${previousText(after, 'lastErrorMessage') ?? ''}`
    return [{ type: 'Warning', reason: 'AccountErroring', action: 'Observe', note: note.trim() }]
  }
  if (was === 'erroring' && is === 'available') {
    return [{ type: 'Normal', reason: 'AccountRecovered', action: 'Observe', note: 'The account answers again.' }]
  }
  return []
}

function switchEvents(before: unknown, after: ObjectStatus): Occurrence[] {
  const [was, is] = [previousText(before, 'safeMode'), previousText(after, 'safeMode')]
  const on: Occurrence = { type: 'Warning', reason: 'SafeModeEnabled', action: 'Switch', note: 'Safe mode is on.' }
  const off: Occurrence = { type: 'Normal', reason: 'SafeModeDisabled', action: 'Switch', note: 'Safe mode is off.' }
  const safeMode = is === 'Enabled' && was !== 'Enabled' ? [on] : []
  const normalMode = is === 'Disabled' && was === 'Enabled' ? [off] : []
  const activated = isRecord(before) && before['active'] === false && after['active'] === true
  const note = 'The profile is active.'
  const active: Occurrence[] = activated ? [{ type: 'Normal', reason: 'ProfileActivated', action: 'Switch', note }] : []
  return [...safeMode, ...normalMode, ...active]
}

function limitEvents(before: unknown, after: ObjectStatus): Occurrence[] {
  const was = isRecord(before) ? textsOf(before['limitsExceeded']) : []
  return textsOf(after['limitsExceeded'])
    .filter((limit) => !was.includes(limit))
    .map((limit) => ({
      type: 'Warning',
      reason: 'BudgetExceeded',
      action: 'Limit',
      note: `The limit ${limit} is used up.`,
    }))
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []
}

import { timestampOf } from '../kube/time-and-chance.ts'
import type { ObservedObject } from '../sources/observed-objects.ts'
import { acceptedVerdict, resolvedRefsVerdict } from './acceptance.ts'
import { type Condition, readConditions, stampCondition, type Verdict } from './conditions.ts'
import { objectKey } from './gateway-acks.ts'
import { kindStatus } from './kind-status.ts'
import { previousText } from './previous-status.ts'
import { type Programming, programmingOf } from './programmed.ts'
import type { StatusFacts } from './status-facts.ts'

/** Status as it is written: fields that are absent are taken away. */
export interface ObjectStatus {
  readonly observedGeneration: number
  readonly conditions: readonly Condition[]
  readonly configVersion?: string
  readonly programmedGateways: string
  readonly [field: string]: unknown
}

/** What to say of an object. Pure: the same facts give the same status, times of transition included. */
export function statusOf(object: ObservedObject, facts: StatusFacts): ObjectStatus {
  const key = objectKey(object.ref)
  const problems = [...object.problems, ...(facts.compileProblems.get(key) ?? [])]
  const form = formOf(object)
  const own = kindStatus(object, facts)
  const programming = form === 'None' ? notProgrammed(facts) : programmingNow(object, key, facts)
  const verdicts = {
    Accepted: acceptedVerdict(problems, form),
    ResolvedRefs: resolvedRefsVerdict(problems, form),
    Programmed: programming.verdict,
  }
  const ready = readyVerdict([verdicts.Accepted, verdicts.ResolvedRefs, verdicts.Programmed, own.ready])
  const stamp = { previous: readConditions(object.status), now: timestampOf(facts.nowMs) }
  const programmedGeneration = object.resource?.metadata.generation ?? object.generation
  const inTable = facts.programmed.objectHashes.get(facts.programmed.version)?.has(key) === true
  return {
    observedGeneration: object.generation,
    conditions: [
      stampCondition('Accepted', verdicts.Accepted, object.generation, stamp),
      stampCondition('ResolvedRefs', verdicts.ResolvedRefs, object.generation, stamp),
      stampCondition('Programmed', verdicts.Programmed, programmedGeneration, stamp),
      stampCondition('Ready', ready, object.generation, stamp),
    ],
    ...(inTable && { configVersion: facts.programmed.version }),
    programmedGateways: programming.gateways,
    ...own.fields,
  }
}

function formOf({ problems, resource }: ObservedObject): 'Present' | 'Older' | 'None' {
  if (resource === undefined) return 'None'
  return problems.length === 0 ? 'Present' : 'Older'
}

function notProgrammed({ programmed }: StatusFacts): Programming {
  const verdict: Verdict = { status: 'False', reason: 'NotAccepted', message: 'The object was never valid.' }
  return { verdict, gateways: `0/${programmed.gateways.length}` }
}

/** A controller that has only just begun repeats what was said until the gateways have found it. */
function programmingNow(object: ObservedObject, key: string, facts: StatusFacts): Programming {
  const now = programmingOf({ key, ageMs: facts.ageMs(key), facts: facts.programmed })
  if (facts.phase === 'Settled' || now.verdict.status === 'True') return now
  const before = readConditions(object.status).find(({ type }) => type === 'Programmed')
  const gateways = previousText(object.status, 'programmedGateways')
  if (before?.observedGeneration !== object.generation || gateways === undefined) return now
  return { verdict: before, gateways }
}

/** The first that is not true says why. */
function readyVerdict(verdicts: readonly Verdict[]): Verdict {
  const blocking = verdicts.find(({ status }) => status === 'False') ?? verdicts.find(({ status }) => status !== 'True')
  if (blocking === undefined) return { status: 'True', reason: 'Ready', message: 'The object does its work.' }
  return { status: blocking.status, reason: blocking.reason, message: blocking.message }
}

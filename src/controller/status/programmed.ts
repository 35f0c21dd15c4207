import type { Verdict } from './conditions.ts'
import type { GatewayAck, ProgrammedFacts } from './gateway-acks.ts'

/** A change needs a moment to arrive everywhere. */
export const PROPAGATION_MS = 10_000
const SHOWN = 3

export type GatewayState = 'Programmed' | 'Lagging' | 'Rejected' | 'Disconnected'

export interface Programming {
  readonly verdict: Verdict
  /** e.g. `2/3`. */
  readonly gateways: string
}

export interface ProgrammingQuestion {
  /** As in `objectKey`. */
  readonly key: string
  /** How long the newest table has had the object in this form, milliseconds. */
  readonly ageMs: number
  readonly facts: ProgrammedFacts
}

/** Whether every gateway runs the object as the newest table has it; undefined when that table leaves it out. */
export function programmingOf({ key, ageMs, facts }: ProgrammingQuestion): Programming {
  const total = facts.gateways.length
  const hash = facts.objectHashes.get(facts.version)?.get(key)
  if (facts.withheld !== undefined && facts.withheld.hashes.get(key) !== hash) {
    const message = `${facts.withheld.reason.replace(/\.?$/, '.')} The last good table stays in use.`
    return { verdict: { status: 'False', reason: 'TableWithheld', message }, gateways: `0/${total}` }
  }
  if (hash === undefined) {
    const message = 'The routing table leaves the object out; see the other conditions.'
    return { verdict: { status: 'False', reason: 'NotInTable', message }, gateways: `0/${total}` }
  }
  const states = facts.gateways.map((gateway) => ({ gateway, state: stateOf(gateway, key, hash, facts) }))
  const behind = states.filter(({ state }) => state !== 'Programmed')
  const gateways = `${total - behind.length}/${total}`
  return { verdict: verdictOf({ behind, gateways, ageMs, facts }), gateways }
}

/** Whether a gateway runs the newest table. */
export function gatewayState(gateway: GatewayAck, { version }: ProgrammedFacts): GatewayState {
  if (!gateway.connected) return 'Disconnected'
  if (gateway.version === version) return 'Programmed'
  return gateway.result === 'NACK' ? 'Rejected' : 'Lagging'
}

export function refusalOf({ diagnostics: [first] }: GatewayAck): string {
  return first === undefined ? 'no reason given' : `${first.code} ${first.message}`
}

interface Behind {
  readonly gateway: GatewayAck
  readonly state: GatewayState
}

function stateOf(gateway: GatewayAck, key: string, hash: string, facts: ProgrammedFacts): GatewayState {
  const runs = gateway.version === undefined ? undefined : facts.objectHashes.get(gateway.version)?.get(key)
  return runs === hash ? 'Programmed' : gatewayState(gateway, facts)
}

interface Count {
  readonly behind: readonly Behind[]
  readonly gateways: string
  readonly ageMs: number
  readonly facts: ProgrammedFacts
}

function verdictOf({ behind, gateways, ageMs, facts }: Count): Verdict {
  const runs = `${gateways} gateways run it`
  const total = facts.gateways.length
  const { canary } = facts
  if (behind.length > 0 && canary?.phase === 'Held') {
    const message = `${runs}; the change is held, and the last good table stays in use: ${canary.reason ?? 'no reason given'}`
    return { status: 'False', reason: 'RolloutHeld', message: message.replace(/\.?$/, '.') }
  }
  const rejected = behind.filter(({ state }) => state === 'Rejected')
  if (rejected.length > 0) {
    const told = rejected.map(({ gateway }) => `pod ${gateway.name} refused: ${refusalOf(gateway)}`)
    return { status: 'False', reason: 'SnapshotRejected', message: `${runs}; ${list(told)}` }
  }
  if (total > 0 && behind.length === 0) return { status: 'True', reason: 'Programmed', message: `${runs}.` }
  if (canary !== undefined) {
    const what = canary.version === facts.version ? 'it is tried' : 'an earlier change is tried'
    const where = canary.gateways.length === 0 ? '' : ` on pod ${canary.gateways.slice(0, SHOWN).join(', ')}`
    return { status: 'Unknown', reason: 'Canary', message: `${runs} so far; ${what}${where}.` }
  }
  if (ageMs < PROPAGATION_MS) return { status: 'Unknown', reason: 'Propagating', message: `${runs} so far.` }
  if (total === 0) return { status: 'False', reason: 'NoGateways', message: 'No gateway is known.' }
  const told = behind.map(
    ({ gateway, state }) => `pod ${gateway.name} ${state === 'Lagging' ? 'lags behind' : 'is away'}`,
  )
  return { status: 'False', reason: 'GatewaysLagging', message: `${runs}; ${list(told)}` }
}

function list(items: readonly string[]): string {
  const rest = items.length - SHOWN
  return `${items.slice(0, SHOWN).join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`.replace(/\.?$/, '.')
}

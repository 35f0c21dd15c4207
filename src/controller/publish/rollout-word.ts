import { isRecord } from '#resources/finding.ts'
import type { RolloutPhase, RolloutState, RolloutWord } from './rollout.ts'

const PHASES: readonly RolloutPhase[] = ['Applying', 'Observing', 'Held']

/** Undefined for what is no such word, e.g. of another version of the program: it is as if nothing had been said. */
export function readRolloutWord(text: string): RolloutWord | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isRecord(value) || typeof value['stable'] !== 'string') return undefined
  const candidate = readState(value['candidate'])
  return { stable: value['stable'], ...(candidate !== undefined && { candidate }) }
}

function readState(value: unknown): RolloutState | undefined {
  if (!isRecord(value)) return undefined
  const { version, gateways, reason } = value
  const phase = PHASES.find((known) => known === value['phase'])
  if (typeof version !== 'string' || phase === undefined || !Array.isArray(gateways)) return undefined
  return { version, phase, gateways: gateways.map(String), ...(typeof reason === 'string' && { reason }) }
}

import fc from 'fast-check'

/** This value, but once in a while another. */
export const often = <T>(value: T, weight: number, others: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: others })

/** Damage to a message. */
export interface Blow {
  readonly kind: 'insert' | 'replace' | 'remove' | 'repeat'
  /** Which of all places, modulo their number. */
  readonly place: number
  readonly piece: string
}

/** @param piece what is put in */
export function blowWith(piece: fc.Arbitrary<string>): fc.Arbitrary<Blow> {
  return fc.record({ kind: fc.constantFrom('insert', 'replace', 'remove', 'repeat'), place: fc.nat(10_000), piece })
}

export function strike(text: string, { kind, place, piece }: Blow): string {
  if (kind === 'repeat') {
    const lines = text.split('\r\n')
    lines.splice(place % lines.length, 0, lines[(place * 7) % lines.length] ?? '')
    return lines.join('\r\n')
  }
  const at = place % (text.length + 1)
  return text.slice(0, at) + (kind === 'remove' ? '' : piece) + text.slice(kind === 'insert' ? at : at + 1)
}

import { createHash } from 'node:crypto'

/** SHA-256 of text, lower-case hex; the compiler and the tables know no platform and are given it. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

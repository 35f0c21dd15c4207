import type { JsonValue } from '../ir/chat-request.ts'
import type { JsonScan } from './scan-json.ts'
import type { JsonEdit } from './splice.ts'

const ENCODER = new TextEncoder()
const DECODER = new TextDecoder()

/** The edit that gives a root member a new value, adding the member in front where the object has none. The root must be an object. */
export function setMember(scan: JsonScan, key: string, value: JsonValue): JsonEdit {
  const text = JSON.stringify(value)
  const member = scan.members.get(key)
  if (member !== undefined) {
    return { start: member.valueStart, end: member.valueEnd, replacement: ENCODER.encode(text) }
  }
  const inside = scan.rootStart + 1
  const comma = scan.members.size > 0 ? ',' : ''
  return { start: inside, end: inside, replacement: ENCODER.encode(`${JSON.stringify(key)}:${text}${comma}`) }
}

/** The value of a root member, or undefined when the object has no such member. */
export function readMember(bytes: Uint8Array, scan: JsonScan, key: string): JsonValue | undefined {
  const member = scan.members.get(key)
  if (member === undefined) return undefined
  // JSON.parse gives exactly the JSON types.
  return JSON.parse(DECODER.decode(bytes.subarray(member.valueStart, member.valueEnd))) as JsonValue
}

import { memberOf, textOf } from './json-value.ts'

/** The messages after the last one of the assistant (all of them when there is none). */
export function turnOf(messages: readonly unknown[], isAssistant: (message: unknown) => boolean): readonly unknown[] {
  return messages.slice(messages.findLastIndex(isAssistant) + 1)
}

/** A message's content as parts: a string is one text part. */
export function partsOf(content: unknown): readonly unknown[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  return Array.isArray(content) ? content : []
}

/** The texts of all parts, joined. */
export function joinedText(content: unknown): string {
  return partsOf(content)
    .map((part) => textOf(part, 'text') ?? '')
    .join('')
}

export function hasType(part: unknown, ...types: readonly string[]): boolean {
  const type = memberOf(part, 'type')
  return typeof type === 'string' && types.includes(type)
}

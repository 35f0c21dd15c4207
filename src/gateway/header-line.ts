const FORBIDDEN = /[^\t\x20-\x7e\x80-\xff]/
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** Names of headers that are tokens: there are some dozens, each sent again and again. */
const knownNames = new Set<string>()
const MOST_NAMES = 1_000

/** Whether a message may have this header: nothing in it can begin another line. */
export function isSendable(name: string, value: string): boolean {
  return !FORBIDDEN.test(value) && isName(name)
}

function isName(name: string): boolean {
  if (knownNames.has(name)) return true
  if (!TOKEN.test(name)) return false
  if (knownNames.size < MOST_NAMES) knownNames.add(name)
  return true
}

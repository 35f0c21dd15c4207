/** Appends a list of any length; `push(...items)` overflows the stack at some ten thousands. */
export function appendAll<T>(list: T[], items: Iterable<T>): void {
  for (const item of items) list.push(item)
}

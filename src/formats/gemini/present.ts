/** An object of the properties that have a value: an absent optional field is left out, not undefined. */
export function present<T extends object>(properties: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(properties).filter(([, value]) => value !== undefined)
  // Object.fromEntries forgets the key types; the entries were just filtered to what the type says.
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> }
}

import type { ResourceObject } from '#resources/resource.ts'

/** Whether a group uses an account, by name or by label. */
export function isMember(
  { metadata: { name, labels } }: ResourceObject<'ProviderAccount'>,
  { spec: { accountRefs = [], accountSelector } }: ResourceObject<'ProviderGroup'>,
): boolean {
  if (accountRefs.some((reference) => reference.name === name)) return true
  if (accountSelector === undefined) return false
  return Object.entries(accountSelector.matchLabels).every(([key, value]) => labels[key] === value)
}

import type { Group, GroupTarget } from '#table/routing-table.ts'

/**
 * Groups in the order in which they are tried: by ascending priority, among equals by a draw in proportion to the weights.
 * @param random asked once a draw, only where two share a priority
 */
export function orderTargets(targets: readonly GroupTarget[], random: () => number): readonly GroupTarget[] {
  if (targets.length < 2) return targets
  const priorities = [...new Set(targets.map(({ priority }) => priority))].sort((left, right) => left - right)
  return priorities.flatMap((priority) =>
    drawOrder(
      targets.filter((target) => target.priority === priority),
      random,
    ),
  )
}

/**
 * The targets, then the fallback groups of each, and theirs, each group once. A fallback takes the rule's model, not the one that its
 * predecessor was given.
 */
export function withFallbacks(
  targets: readonly GroupTarget[],
  groups: Readonly<Record<string, Group>>,
  modelOverride: string | undefined,
): readonly GroupTarget[] {
  if (!targets.some(({ group }) => hasFallbacks(groups[group]))) return targets
  const ordered = [...targets]
  const named = new Set(targets.map(({ group }) => group))
  for (const { group } of ordered) {
    for (const fallback of groups[group]?.fallbackGroups ?? []) {
      if (named.has(fallback)) continue
      named.add(fallback)
      ordered.push({
        group: fallback,
        priority: 0,
        weight: 0,
        ...(modelOverride === undefined ? {} : { modelOverride }),
      })
    }
  }
  return ordered
}

function hasFallbacks(group: Group | undefined): boolean {
  return group !== undefined && group.fallbackGroups.length > 0
}

function drawOrder(targets: readonly GroupTarget[], random: () => number): GroupTarget[] {
  const left = [...targets]
  const ordered: GroupTarget[] = []
  while (left.length > 1) {
    const index = drawIndex(left, random)
    ordered.push(...left.splice(index, 1))
  }
  return [...ordered, ...left]
}

/** Weight 0 comes after everything that has one. */
function drawIndex(targets: readonly GroupTarget[], random: () => number): number {
  const total = targets.reduce((sum, { weight }) => sum + weight, 0)
  if (total === 0) return 0
  let left = random() * total
  for (const [index, { weight }] of targets.entries()) {
    left -= weight
    if (left < 0) return index
  }
  return targets.findLastIndex(({ weight }) => weight > 0)
}

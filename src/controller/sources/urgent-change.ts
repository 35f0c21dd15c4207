import type { Resource } from '#resources/resource.ts'

/**
 * Whether a change is one that an operator makes in anger, and that must not wait for others to gather: another active profile,
 * safe mode, an account that is disabled, a client or one of its keys that is revoked.
 */
export function isUrgent(before: Resource | undefined, after: Resource | undefined): boolean {
  const [was, is] = [switchesOf(before), switchesOf(after)]
  return was.on !== is.on || was.grants.some((grant) => !is.grants.includes(grant))
}

interface Switches {
  /** Any change of it is urgent. */
  readonly on: string
  /** One that goes is urgent; one that comes is not. */
  readonly grants: readonly string[]
}

function switchesOf(resource: Resource | undefined): Switches {
  switch (resource?.kind) {
    case 'GatewayConfig': {
      const { activeProfileRef, safeMode } = resource.spec
      const target = [safeMode.providerGroupRef?.name ?? '', safeMode.model ?? '']
      const safe = safeMode.state === 'Enabled' ? ['Enabled', ...target] : []
      return { on: [activeProfileRef?.name ?? '', ...safe].join('\n'), grants: [] }
    }
    case 'ProviderAccount':
      return { on: '', grants: [`account ${resource.spec.state}`] }
    case 'GatewayClient': {
      const { state, safeMode, credentials } = resource.spec
      const keys = credentials.map(({ sha256, secretKeyRef }) => sha256 ?? `${secretKeyRef?.name}/${secretKeyRef?.key}`)
      return { on: safeMode === 'Enabled' ? safeMode : '', grants: [`client ${state}`, ...keys] }
    }
    case 'ProviderGroup':
    case 'RoutingProfile':
    case 'UsagePolicy':
    case 'ModelCatalog':
    case undefined:
      return { on: '', grants: [] }
  }
}

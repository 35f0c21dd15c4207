import type { GatewayView, TenantNames } from './gateway-view.ts'

/** The models that may be a label: those of the catalogue and those that the configuration names. */
export class KnownModels {
  readonly #gateway: Pick<GatewayView, 'table'>
  #table: GatewayView['table']
  readonly #names = new Map<string, ReadonlySet<string>>()

  constructor(gateway: Pick<GatewayView, 'table'>) {
    this.#gateway = gateway
  }

  has(tenant: string, model: string): boolean {
    const { table } = this.#gateway
    if (table !== this.#table) {
      this.#names.clear()
      this.#table = table
    }
    const known = this.#names.get(tenant) ?? this.#read(tenant)
    return known.has(model)
  }

  #read(tenant: string): ReadonlySet<string> {
    const configured = this.#table?.tenants.get(tenant)?.tenant
    const names = configured === undefined ? new Set<string>() : namesOf(configured)
    this.#names.set(tenant, names)
    return names
  }
}

function namesOf({ models, modelAliases, accounts }: TenantNames): ReadonlySet<string> {
  const ofAccounts = Object.values(accounts).flatMap(({ models: { allow, aliases, list } }) => [
    ...allow.filter((pattern) => !pattern.includes('*')),
    ...Object.entries(aliases).flat(),
    ...list,
  ])
  return new Set([...Object.keys(models), ...Object.entries(modelAliases).flat(), ...ofAccounts])
}

/**
 * The name under which a model is counted: its own when it is known, else the known one without vendor prefix, `:free`-like suffix or
 * date (`-20251001`, `-2025-08-07`).
 */
export function knownName(model: string, isKnown: (name: string) => boolean): string | undefined {
  if (isKnown(model)) return model
  const bare = model.slice(model.lastIndexOf('/') + 1)
  const plain = bare.replace(/(?::[a-z]+|\[[0-9a-z]+\])$/, '')
  return [bare, plain, plain.replace(/-(?:\d{8}|\d{4}-\d{2}-\d{2})$/, '')].find(isKnown)
}

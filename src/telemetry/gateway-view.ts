/** What metrics read from a gateway when they are scraped. */
export interface GatewayView {
  /** Requests under way. */
  readonly inFlight: number
  readonly registry: { all(): Iterable<AccountView> }
  readonly table: { readonly tenants: ReadonlyMap<string, { readonly tenant: TenantNames }> } | undefined
}

export interface AccountView {
  readonly tenant: string
  readonly account: { readonly name: string }
  readonly provider: { readonly telemetryName: string }
  readonly inFlight: number
  readonly health: {
    /** @param nowMs Unix time, milliseconds */
    summary(nowMs: number): { readonly state: string }
  }
}

/** Where the configuration of a tenant names models. */
export interface TenantNames {
  readonly models: Readonly<Record<string, unknown>>
  readonly modelAliases: Readonly<Record<string, string>>
  readonly accounts: Readonly<
    Record<
      string,
      {
        readonly models: {
          readonly allow: readonly string[]
          readonly aliases: Readonly<Record<string, string>>
          readonly list: readonly string[]
        }
      }
    >
  >
}

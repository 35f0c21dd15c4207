import { AccountRegistry, type SavedHealth } from '#gateway/account-registry.ts'
import { buildServingTable, type ServingTenant } from '#gateway/serving-table.ts'
import { Admission } from '#gateway/stages/admit.ts'
import { decideType } from '#gateway/stages/classify.ts'
import { readSurface } from '#gateway/surface.ts'
import type { RuleVerdict } from '#routing/explain-rules.ts'
import type { MemberVerdict } from '#routing/judge-member.ts'
import type { Client, RequestType, RoutingTable } from '#table/routing-table.ts'

const TYPE_HEADER = 'x-korproxy-request-type'

/** A request as somebody imagines it. */
export interface ImaginedRequest {
  readonly model: string
  /** As if the request had it in `X-KorProxy-Request-Type`. */
  readonly type?: RequestType
  /** Name of a GatewayClient. */
  readonly client?: Client
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>
  readonly profile?: string
  /** e.g. `/v1/chat/completions`; absent: the type follows from the model, else it is chat. */
  readonly path?: string
}

export interface RoutingReport {
  readonly type: RequestType
  readonly typeBy: string
  readonly family: string | undefined
  readonly model: string
  readonly profile: string
  readonly by: 'rule' | 'default' | 'safe-mode'
  readonly rule: string | undefined
  readonly rules: readonly RuleVerdict[]
  /** In the order in which they are tried. */
  readonly groups: readonly GroupReport[]
  /** Assumed: as if all accounts were healthy, for nobody said otherwise. */
  readonly health: 'Assumed' | 'Known'
}

export interface GroupReport {
  readonly group: string
  readonly strategy: string
  /** What the group is asked for. */
  readonly model: string
  readonly accounts: readonly AccountReport[]
}

interface AccountReport {
  readonly account: string
  readonly provider: string
  /** The provider's name of the model; absent when the account does not serve it. */
  readonly upstreamModel?: string
  readonly verdict: 'ready' | 'skipped'
  /** Why it is skipped. */
  readonly reason?: string
  /** When it is asked again, RFC 3339. */
  readonly until?: string
}

export interface ExplainOptions {
  readonly namespace: string
  readonly random: () => number
  /** Unix time, milliseconds. */
  readonly nowMs: number
  /** What is known of the accounts. Absent: all count as healthy. */
  readonly health?: SavedHealth
}

/**
 * Routes an imagined request through the code that routes real ones. All accounts count as idle.
 * @throws KorProxyError KP-AUTH-005, 006, 007, KP-CONF-219, KP-SYS-516 as the gateway would answer them
 */
export function explainRouting(table: RoutingTable, request: ImaginedRequest, options: ExplainOptions): RoutingReport {
  const tenant = servingTenant(table, request.client?.tenant ?? options.namespace, options)
  const headers = (name: string): string | undefined => request.headers[name.toLowerCase()]
  const pathType = typeOfPath(request)
  const { type, by: typeBy } = classifyImagined(request, tenant, pathType)
  new Admission().admit({
    client: request.client,
    surface: { requestType: pathType },
    requestType: type,
    requestedModel: request.model,
  })
  const explained = tenant.router.explain({
    type,
    model: request.model,
    client: request.client,
    profileHeader: request.profile ?? headers('x-korproxy-profile'),
    headers,
    random: options.random,
  })
  return {
    type,
    typeBy,
    family: explained.family,
    model: request.model,
    profile: explained.profile,
    by: explained.by,
    rule: explained.rule?.name,
    rules: explained.rules,
    groups: explained.targets.map(({ group, modelOverride }) =>
      groupReport(tenant, group, modelOverride ?? request.model, options.nowMs),
    ),
    health: options.health === undefined ? 'Assumed' : 'Known',
  }
}

function servingTenant(table: RoutingTable, namespace: string, options: ExplainOptions): ServingTenant {
  const registry = new AccountRegistry({
    random: options.random,
    now: () => options.nowMs,
    credentials: { open: () => ({ secret: () => undefined, renew: undefined }) },
    saved: options.health ?? {},
  })
  const serving = buildServingTable(table, registry, undefined)
  return serving.tenants.get(namespace) ?? serving.defaultTenant
}

function typeOfPath({ path, headers }: ImaginedRequest): RequestType | undefined {
  if (path === undefined) return undefined
  return readSurface('POST', path, new URLSearchParams(), (name) => headers[name]).requestType
}

function classifyImagined(
  { type, path, model, client, headers }: ImaginedRequest,
  tenant: ServingTenant,
  pathType: RequestType | undefined,
): ReturnType<typeof decideType> {
  const header = (name: string): string | undefined =>
    name === TYPE_HEADER ? (type ?? headers[TYPE_HEADER]) : headers[name]
  // Nobody said what the body holds: without a path most likely a chat.
  const bodyKeys = new Set(path === undefined ? ['messages'] : [])
  return decideType({ tenant, client, header }, { pathType, model, bodyKeys })
}

function groupReport(tenant: ServingTenant, name: string, model: string, nowMs: number): GroupReport {
  const serving = tenant.groups.get(name)
  const surveyed = serving?.selector.survey({ model, nowMs, tried: new Set() }) ?? []
  return {
    group: name,
    strategy: serving?.group.strategy ?? '',
    model,
    accounts: surveyed.map(({ account, model: upstreamModel, verdict }) => ({
      account,
      provider: tenant.accounts.get(account)?.account.provider ?? '',
      ...accountVerdict(verdict, upstreamModel),
    })),
  }
}

function accountVerdict(verdict: MemberVerdict, upstreamModel: string): Omit<AccountReport, 'account' | 'provider'> {
  if (verdict.kind !== 'skip') return { upstreamModel, verdict: 'ready' }
  const { reason, untilMs } = verdict.skip
  return {
    ...(reason === 'model-not-served' ? {} : { upstreamModel }),
    verdict: 'skipped',
    reason,
    ...(untilMs !== undefined && { until: new Date(untilMs).toISOString() }),
  }
}

import {
  type Client,
  type GroupTarget,
  IMPLIED_GROUP,
  type RequestType,
  type Rule,
  type Tenant,
} from '#table/routing-table.ts'
import { buildFamilyIndex, type FamilyIndex, familyOf } from './classify.ts'
import { explainRules, type RuleVerdict } from './explain-rules.ts'
import {
  type CompiledProfile,
  compileProfile,
  type MatchFacts,
  matchRule,
  possibleMatches,
  type RuleMatched,
} from './match.ts'
import { orderTargets, withFallbacks } from './order-targets.ts'
import { DEFAULT_PROFILE, resolveProfile } from './resolve-profile.ts'

export interface RouteFacts {
  readonly type: RequestType
  /** As the client names it; empty = the request has none. */
  readonly model: string
  readonly client: Client | undefined
  /** `X-KorProxy-Profile`. */
  readonly profileHeader: string | undefined
  /** By lower-case name. */
  readonly headers: (name: string) => string | undefined
  readonly random: () => number
}

export interface RoutedRequest {
  readonly profile: string
  /** Undefined = no rule matched, or safe mode decided. */
  readonly rule: Rule | undefined
  readonly by: 'rule' | 'default' | 'safe-mode'
  /** In the order in which they are tried, fallback groups included; `modelOverride` is final. */
  readonly targets: readonly GroupTarget[]
}

export interface RouteExplanation extends RoutedRequest {
  readonly family: string | undefined
  readonly rules: readonly RuleVerdict[]
}

/** Every target of requests for a model, fallback groups included; `modelOverride` is final. */
export type ModelReach = (model: string, types: readonly RequestType[] | undefined) => readonly GroupTarget[]

export interface Router {
  readonly families: FamilyIndex
  /** @throws KorProxyError KP-CONF-219, KP-AUTH-007 */
  route(facts: RouteFacts): RoutedRequest
  /** @throws KorProxyError KP-CONF-219, KP-AUTH-007 */
  explain(facts: RouteFacts): RouteExplanation
  /** Where a caller's requests may go while safe mode is off. @throws KorProxyError KP-CONF-219, KP-AUTH-007 */
  reach(caller: Caller): ModelReach
}

type Caller = Pick<RouteFacts, 'client' | 'profileHeader'>

/** Builds a tenant's indexes, once for each table. */
export function buildRouter(tenant: Tenant): Router {
  const families = buildFamilyIndex(tenant.families)
  const profiles = new Map(
    Object.values(tenant.profiles).map((profile) => [profile.name, compileProfile(profile, families)]),
  )
  const implied = compileProfile(
    { name: DEFAULT_PROFILE, displayName: DEFAULT_PROFILE, rules: [], defaultTargets: [] },
    families,
  )
  const profileFor = (caller: Caller): CompiledProfile => resolveProfile(profiles, tenant, caller) ?? implied
  const route = (facts: RouteFacts): RoutedRequest => routeWith(tenant, profileFor(facts), facts)
  return {
    families,
    route,
    explain: (facts) => ({
      ...route(facts),
      family: familyOf(facts.model, families),
      rules: explainRules(profileFor(facts), matchFacts(facts, families)),
    }),
    reach: (caller) => {
      const compiled = profileFor(caller)
      return (model, types) => {
        const facts = { model, family: familyOf(model, families), client: caller.client?.name, types }
        return possibleMatches(compiled, facts).flatMap((matched) => targetsOf(tenant, compiled, matched, () => 0))
      }
    },
  }
}

function routeWith(tenant: Tenant, compiled: CompiledProfile, facts: RouteFacts): RoutedRequest {
  const profile = compiled.profile.name
  const safe = safeModeTarget(tenant, facts)
  if (safe !== undefined) {
    return {
      profile,
      rule: undefined,
      by: 'safe-mode',
      targets: withFallbacks([safe], tenant.groups, safe.modelOverride),
    }
  }
  const matched = matchRule(compiled, matchFacts(facts, compiled.families))
  return {
    profile,
    rule: matched.rule,
    by: matched.rule === undefined ? 'default' : 'rule',
    targets: targetsOf(tenant, compiled, matched, facts.random),
  }
}

function targetsOf(
  tenant: Tenant,
  { profile }: CompiledProfile,
  { rule, targets }: RuleMatched,
  random: () => number,
): readonly GroupTarget[] {
  const chosen = targets.length > 0 ? targets : profile.defaultTargets
  const ordered = orderTargets(chosen.length > 0 ? chosen : IMPLIED_TARGETS, random)
  return withFallbacks(overrideModels(ordered, rule?.modelOverride), tenant.groups, rule?.modelOverride)
}

const IMPLIED_TARGETS: readonly GroupTarget[] = [{ group: IMPLIED_GROUP, priority: 0, weight: 1 }]

function matchFacts({ type, model, client, headers }: RouteFacts, families: FamilyIndex): MatchFacts {
  const named = model === '' ? undefined : model
  return { type, model: named, family: familyOf(named, families), client: client?.name, headers }
}

/** The target's own model stands before the rule's. */
function overrideModels(targets: readonly GroupTarget[], modelOverride: string | undefined): readonly GroupTarget[] {
  if (modelOverride === undefined) return targets
  return targets.map((target) => (target.modelOverride === undefined ? { ...target, modelOverride } : target))
}

/** Safe mode sends everything to one group (R12.2). Its model can chat: an embedding keeps its own. */
function safeModeTarget(tenant: Tenant, { client, type }: RouteFacts): GroupTarget | undefined {
  const { safeMode } = tenant
  if (safeMode === null || client?.safeMode === 'Disabled') return undefined
  if (safeMode.state === 'Disabled' && client?.safeMode !== 'Enabled') return undefined
  const chats = type === 'chat' || type === 'completion'
  const model = chats && safeMode.model !== undefined ? { modelOverride: safeMode.model } : {}
  return { group: safeMode.group, priority: 0, weight: 1, ...model }
}

import { parseDuration } from '#resources/duration.ts'
import type { ResourceObject } from '#resources/resource.ts'
import type { Account } from '#table/routing-table.ts'

type AccountObject = ResourceObject<'ProviderAccount'>
type AccountSpec = AccountObject['spec']

export function compileAccount({ metadata, spec }: AccountObject): Account {
  return {
    name: metadata.name,
    displayName: spec.displayName ?? metadata.name,
    provider: spec.provider,
    ...(spec.preset === undefined ? {} : { preset: spec.preset }),
    ...(spec.baseURL === undefined ? {} : { baseUrl: spec.baseURL }),
    auth: spec.auth?.type ?? 'None',
    ...(spec.organization === undefined ? {} : { organization: spec.organization }),
    ...(spec.project === undefined ? {} : { project: spec.project }),
    ...(spec.azure?.apiVersion === undefined ? {} : { apiVersion: spec.azure.apiVersion }),
    headers: Object.fromEntries((spec.headers ?? []).map(({ name, value }) => [name, value])),
    models: compileModels(spec),
    limits: withoutUndefined(spec.limits),
    state: spec.state,
    ...(spec.prices.multiplier === '1' ? {} : { priceMultiplier: spec.prices.multiplier }),
    healthCheck: compileHealthCheck(spec.healthCheck),
    connections: {
      maxIdle: spec.connections.maxIdle,
      maxIdlePerHost: spec.connections.maxIdlePerHost,
      idleTimeoutMs: parseDuration(spec.connections.idleTimeout),
    },
    ...(spec.proxyURL === undefined ? {} : { proxyUrl: spec.proxyURL }),
    ...(spec.ollama?.numCtx === undefined ? {} : { numCtx: spec.ollama.numCtx }),
  }
}

function compileModels({ azure, models }: AccountSpec): Account['models'] {
  return {
    allow: models.allow ?? [],
    deny: models.deny ?? [],
    aliases: Object.fromEntries([
      ...(azure?.deployments ?? []).map(({ model, deployment }) => [model, deployment]),
      ...(models.aliases ?? []).map(({ name, upstream }) => [name, upstream]),
    ]),
    list: models.list ?? [],
  }
}

function compileHealthCheck(check: AccountSpec['healthCheck']): Account['healthCheck'] {
  return {
    state: check.state,
    intervalMs: parseDuration(check.interval),
    timeoutMs: parseDuration(check.timeout),
    degradedLatencyMs: parseDuration(check.degradedLatency),
    ...(check.model === undefined ? {} : { model: check.model }),
  }
}

function withoutUndefined(limits: AccountSpec['limits']): Account['limits'] {
  return {
    ...(limits.requestsPerMinute === undefined ? {} : { requestsPerMinute: limits.requestsPerMinute }),
    ...(limits.tokensPerMinute === undefined ? {} : { tokensPerMinute: limits.tokensPerMinute }),
    ...(limits.maxInFlight === undefined ? {} : { maxInFlight: limits.maxInFlight }),
  }
}

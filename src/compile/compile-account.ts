import { parseDuration } from '#resources/duration.ts'
import type { ResourceObject, SecretObject } from '#resources/resource.ts'
import type { Account, Credential } from '#table/routing-table.ts'
import type { NamespaceObjects } from './namespace-objects.ts'
import type { ProblemList } from './problem-list.ts'

type AccountObject = ResourceObject<'ProviderAccount'>

export function compileAccount({ metadata, spec }: AccountObject): Account {
  const azure = spec.azure?.deployments ?? []
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
    models: {
      allow: spec.models.allow ?? [],
      deny: spec.models.deny ?? [],
      aliases: Object.fromEntries([
        ...azure.map(({ model, deployment }) => [model, deployment]),
        ...(spec.models.aliases ?? []).map(({ name, upstream }) => [name, upstream]),
      ]),
      list: spec.models.list ?? [],
    },
    limits: withoutUndefined(spec.limits),
    state: spec.state,
    ...(spec.prices.multiplier === '1' ? {} : { priceMultiplier: spec.prices.multiplier }),
    healthCheck: {
      state: spec.healthCheck.state,
      intervalMs: parseDuration(spec.healthCheck.interval),
      timeoutMs: parseDuration(spec.healthCheck.timeout),
      degradedLatencyMs: parseDuration(spec.healthCheck.degradedLatency),
      ...(spec.healthCheck.model === undefined ? {} : { model: spec.healthCheck.model }),
    },
    connections: {
      maxIdle: spec.connections.maxIdle,
      maxIdlePerHost: spec.connections.maxIdlePerHost,
      idleTimeoutMs: parseDuration(spec.connections.idleTimeout),
    },
    ...(spec.proxyURL === undefined ? {} : { proxyUrl: spec.proxyURL }),
    ...(spec.ollama?.numCtx === undefined ? {} : { numCtx: spec.ollama.numCtx }),
  }
}

function withoutUndefined(limits: AccountObject['spec']['limits']): Account['limits'] {
  return {
    ...(limits.requestsPerMinute === undefined ? {} : { requestsPerMinute: limits.requestsPerMinute }),
    ...(limits.tokensPerMinute === undefined ? {} : { tokensPerMinute: limits.tokensPerMinute }),
    ...(limits.maxInFlight === undefined ? {} : { maxInFlight: limits.maxInFlight }),
  }
}

/** A value of a Secret and the version of the object that it came from. */
interface SecretValue {
  readonly value: string
  readonly version: string
}

/** The credential of an account, or undefined (with a problem) when a Secret or key is missing: the account then serves nothing. */
export function compileCredential(
  account: AccountObject,
  objects: NamespaceObjects,
  problems: ProblemList,
): Credential | undefined {
  const { auth, tls } = account.spec
  const read = (path: string, reference: { name: string; key: string } | undefined): SecretValue | undefined =>
    reference === undefined ? undefined : readSecret({ account, path, reference }, objects, problems)
  const ca = read('spec.tls.caSecretKeyRef', tls?.caSecretKeyRef)
  if (tls?.caSecretKeyRef !== undefined && ca === undefined) return undefined
  const authority = ca === undefined ? {} : { caPem: ca.value }
  const caVersion = ca === undefined ? '' : `+ca:${ca.version}`
  if (auth === undefined || auth.type === 'None') return { type: 'None', version: caVersion, ...authority }
  if (auth.type === 'APIKey') {
    const key =
      auth.valueFrom === undefined
        ? read('spec.auth.secretKeyRef', auth.secretKeyRef)
        : readExternal(account, objects, problems)
    if (key === undefined) return undefined
    return { type: 'APIKey', version: key.version + caVersion, apiKey: key.value, ...authority }
  }
  const { oauth2 } = auth
  if (oauth2 === undefined) return undefined
  const refreshToken = read('spec.auth.oauth2.refreshTokenRef', oauth2.refreshTokenRef)
  const clientSecret = read('spec.auth.oauth2.clientSecretRef', oauth2.clientSecretRef)
  if (refreshToken === undefined || (oauth2.clientSecretRef !== undefined && clientSecret === undefined))
    return undefined
  return {
    type: 'OAuth2',
    version: [refreshToken.version, clientSecret?.version ?? '', oauthSettings(oauth2)].join('/') + caVersion,
    tokenUrl: oauth2.tokenURL,
    clientId: oauth2.clientID,
    ...(clientSecret === undefined ? {} : { clientSecret: clientSecret.value }),
    refreshToken: refreshToken.value,
    scopes: oauth2.scopes ?? [],
    clientAuthentication: oauth2.clientAuthentication,
    bodyFormat: oauth2.bodyFormat,
    headers: Object.fromEntries((oauth2.extraHeaders ?? []).map(({ name, value }) => [name, value])),
    ...(oauth2.refreshLead === undefined ? {} : { refreshLeadMs: parseDuration(oauth2.refreshLead) }),
    ...authority,
  }
}

/** All that gateways use of the settings: only versions of credentials enter the version of the table. */
function oauthSettings(oauth2: NonNullable<NonNullable<AccountObject['spec']['auth']>['oauth2']>): string {
  const { tokenURL, clientID, scopes = [], clientAuthentication, bodyFormat, extraHeaders = [], refreshLead } = oauth2
  const headers = extraHeaders.map(({ name, value }) => `${name}:${value}`)
  const extra = [...headers, ...(refreshLead === undefined ? [] : [refreshLead])]
  return [tokenURL, clientID, scopes.join(' '), clientAuthentication, bodyFormat, ...extra].join('|')
}

interface SecretUse {
  readonly account: AccountObject
  readonly path: string
  readonly reference: { readonly name: string; readonly key: string }
}

function readSecret(use: SecretUse, objects: NamespaceObjects, problems: ProblemList): SecretValue | undefined {
  const { name, key } = use.reference
  const secret: SecretObject | undefined = objects.secret(name)
  const value = secret?.data[key]?.trim()
  if (secret === undefined) {
    problems.add(use.account, use.path, 'KP-CONF-206', `Secret ${name} does not exist in namespace ${objects.name}`)
    return undefined
  }
  if (value === undefined || value === '') {
    problems.add(use.account, use.path, 'KP-CONF-206', `Secret ${name} has no key ${key}`)
    return undefined
  }
  return { value, version: `${secret.uid}:${secret.resourceVersion}` }
}

function readExternal(
  account: AccountObject,
  objects: NamespaceObjects,
  problems: ProblemList,
): SecretValue | undefined {
  const external = objects.externalCredential(account.metadata.name)
  if (external !== undefined) return { value: external.value, version: external.resourceVersion }
  const source = account.spec.auth?.valueFrom
  const place = source?.env === undefined ? `file ${source?.file ?? ''}` : `environment variable ${source.env}`
  problems.add(account, 'spec.auth.valueFrom', 'KP-CONF-206', `${place} is not set, empty, or not readable here`)
  return undefined
}

import { parseDuration } from '#resources/duration.ts'
import type { ResourceObject } from '#resources/resource.ts'
import type { Credential } from '#table/routing-table.ts'
import type { NamespaceObjects } from './namespace-objects.ts'
import type { ProblemList } from './problem-list.ts'
import { readExternal, readSecret, type SecretValue } from './secret-value.ts'

type AccountObject = ResourceObject<'ProviderAccount'>
type OAuth2Spec = NonNullable<NonNullable<AccountObject['spec']['auth']>['oauth2']>

/** What an account's credential is read from. */
interface CredentialSource {
  readonly account: AccountObject
  readonly objects: NamespaceObjects
  readonly problems: ProblemList
}

/** The part that every kind of credential has: certificate authorities of its own, and their version. */
interface Authority {
  readonly fields: { readonly caPem?: string }
  readonly version: string
}

/** The credential of an account, or undefined (with a problem) when a Secret or key is missing: the account then serves nothing. */
export function compileCredential(
  account: AccountObject,
  objects: NamespaceObjects,
  problems: ProblemList,
): Credential | undefined {
  const source = { account, objects, problems }
  const { auth } = account.spec
  const authority = compileAuthority(source)
  if (authority === undefined) return undefined
  if (auth === undefined || auth.type === 'None')
    return { type: 'None', version: authority.version, ...authority.fields }
  if (auth.type === 'APIKey') return compileApiKey(source, authority)
  return auth.oauth2 === undefined ? undefined : compileOAuth2(source, auth.oauth2, authority)
}

function compileAuthority(source: CredentialSource): Authority | undefined {
  const reference = source.account.spec.tls?.caSecretKeyRef
  if (reference === undefined) return { fields: {}, version: '' }
  const { account, objects, problems } = source
  const use = { account, path: 'spec.tls.caSecretKeyRef', reference, content: 'Certificates' } as const
  const ca = readSecret(use, objects, problems)
  return ca === undefined ? undefined : { fields: { caPem: ca.value }, version: `+ca:${ca.version}` }
}

function compileApiKey(source: CredentialSource, authority: Authority): Credential | undefined {
  const { account, objects, problems } = source
  const { auth } = account.spec
  const key =
    auth?.valueFrom === undefined
      ? readKey(source, 'spec.auth.secretKeyRef', auth?.secretKeyRef)
      : readExternal(account, objects, problems)
  if (key === undefined) return undefined
  return { type: 'APIKey', version: key.version + authority.version, apiKey: key.value, ...authority.fields }
}

function compileOAuth2(source: CredentialSource, oauth2: OAuth2Spec, authority: Authority): Credential | undefined {
  const refreshToken = readKey(source, 'spec.auth.oauth2.refreshTokenRef', oauth2.refreshTokenRef)
  const clientSecret = readKey(source, 'spec.auth.oauth2.clientSecretRef', oauth2.clientSecretRef)
  if (refreshToken === undefined) return undefined
  if (oauth2.clientSecretRef !== undefined && clientSecret === undefined) return undefined
  return {
    type: 'OAuth2',
    version: [refreshToken.version, clientSecret?.version ?? '', oauthSettings(oauth2)].join('/') + authority.version,
    tokenUrl: oauth2.tokenURL,
    clientId: oauth2.clientID,
    ...(clientSecret === undefined ? {} : { clientSecret: clientSecret.value }),
    refreshToken: refreshToken.value,
    scopes: oauth2.scopes ?? [],
    clientAuthentication: oauth2.clientAuthentication,
    bodyFormat: oauth2.bodyFormat,
    headers: Object.fromEntries((oauth2.extraHeaders ?? []).map(({ name, value }) => [name, value])),
    ...(oauth2.refreshLead === undefined ? {} : { refreshLeadMs: parseDuration(oauth2.refreshLead) }),
    ...authority.fields,
  }
}

/** All that gateways use of the settings: only versions of credentials enter the version of the table. */
function oauthSettings(oauth2: OAuth2Spec): string {
  const { tokenURL, clientID, scopes = [], clientAuthentication, bodyFormat, extraHeaders = [], refreshLead } = oauth2
  const headers = extraHeaders.map(({ name, value }) => `${name}:${value}`)
  const extra = [...headers, ...(refreshLead === undefined ? [] : [refreshLead])]
  return [tokenURL, clientID, scopes.join(' '), clientAuthentication, bodyFormat, ...extra].join('|')
}

function readKey(
  { account, objects, problems }: CredentialSource,
  path: string,
  reference: { readonly name: string; readonly key: string } | undefined,
): SecretValue | undefined {
  return reference === undefined
    ? undefined
    : readSecret({ account, path, reference, content: 'Text' }, objects, problems)
}

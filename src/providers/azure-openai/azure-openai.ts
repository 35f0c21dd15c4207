import type { Account } from '#table/routing-table.ts'
import { baseUrl, withQuery } from '../build-url.ts'
import { classifyFailure } from '../classify-failure.ts'
import { openaiTarget } from '../openai/chat-paths.ts'
import { openaiProvider } from '../openai/openai.ts'
import type { Provider, UpstreamCall, UpstreamTarget } from '../provider.ts'
import { readOpenAIError } from '../read-error-body.ts'

/**
 * Azure names deployments, not models: the account's aliases map one to the other. With `apiVersion` the dated deployment paths are
 * used, without it the version-free `/openai/v1`.
 * @see https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle
 */
export const azureOpenaiProvider: Provider = {
  ...openaiProvider,
  name: 'AzureOpenAI',
  telemetryName: 'azure.ai.openai',
  target: azureTarget,
  headers: ({ account }, secret) => ({ ...account.headers, ...credentialHeaders(account, secret) }),
  forwardedReplyHeaders: [...openaiProvider.forwardedReplyHeaders, 'x-ms-region'],
  classifyFailure: (reply, nowMs) =>
    classifyFailure(
      {
        readError: readOpenAIError,
        // Each deployment has an allowance of its own.
        rateLimitScope: 'model',
        contentFilter: /content_filter|ResponsibleAIPolicyViolation|content management policy/i,
        modelNotFound: /DeploymentNotFound|deployment .* does not exist/i,
      },
      reply,
      nowMs,
    ),
  healthCheck: (account) => ({ url: `${versionFreeBase(baseUrl(account, undefined))}/models`, method: 'GET' }),
}

function credentialHeaders(account: Account, secret: string | undefined): Record<string, string> {
  if (secret === undefined) return {}
  return account.auth === 'OAuth2' ? { authorization: `Bearer ${secret}` } : { 'api-key': secret }
}

function versionFreeBase(base: string): string {
  return `${base.replace(/\/openai(?:\/v1)?$/, '')}/openai/v1`
}

function azureTarget(call: UpstreamCall): UpstreamTarget {
  const base = baseUrl(call.account, undefined).replace(/\/openai(?:\/v1)?$/, '')
  const { apiVersion } = call.account
  if (apiVersion === undefined) return openaiTarget(versionFreeBase(base), call)
  const parameters = new URLSearchParams(call.query)
  parameters.set('api-version', apiVersion)
  const query = parameters.toString()
  if (call.operation.kind === 'other') {
    const path = call.operation.path.replace(/^(?:\/openai)?(?:\/v1)?(?=\/)/, '/openai')
    return { url: withQuery(base + path, query), method: call.operation.method }
  }
  if (call.operation.kind === 'chat' && call.operation.format === 'openai-responses') {
    return openaiTarget(`${base}/openai`, { ...call, query })
  }
  return openaiTarget(`${base}/openai/deployments/${encodeURIComponent(call.model)}`, { ...call, query })
}

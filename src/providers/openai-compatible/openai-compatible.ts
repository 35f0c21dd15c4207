import type { ChatFormatName } from '#formats/format.ts'
import type { Account } from '#table/routing-table.ts'
import { baseUrl, withApiPath } from '../build-url.ts'
import { classifyFailure } from '../classify-failure.ts'
import { openaiTarget } from '../openai/chat-paths.ts'
import { OPENAI_REPLY_HEADERS, OPENAI_REQUEST_HEADERS } from '../openai/openai.ts'
import { readOpenAIRateLimits } from '../openai/rate-limits.ts'
import type { Provider } from '../provider.ts'
import { readOpenAIError } from '../read-error-body.ts'
import { PRESETS, type Preset } from './presets.ts'

const PLAIN: Preset = { telemetryName: 'openai_compatible' }

/** Any server that speaks OpenAI's chat format; the preset says where it is and where it departs from it. */
export const openaiCompatibleProvider: Provider = compatibleProvider(PLAIN)

const BY_PRESET: ReadonlyMap<string, Provider> = new Map(
  Object.entries(PRESETS).map(([name, preset]) => [name, compatibleProvider(preset)]),
)

export function findPresetProvider(account: Account): Provider {
  return BY_PRESET.get(account.preset ?? '') ?? openaiCompatibleProvider
}

function compatibleProvider(preset: Preset): Provider {
  const chatFormats: readonly ChatFormatName[] =
    preset.completions === 'None' ? ['openai-chat'] : ['openai-chat', 'openai-completions']
  const quirks = { maxTokensField: 'max_tokens', midSystemAs: 'user', streamUsage: true, ...preset.quirks } as const
  const apiPath = preset.baseUrl === undefined ? (preset.apiPath ?? '') : new URL(preset.baseUrl).pathname
  const base = (account: Account): string => withApiPath(baseUrl(account, preset.baseUrl), apiPath)
  return {
    name: 'OpenAICompatible',
    telemetryName: preset.telemetryName,
    chatFormats: () => chatFormats,
    embeddingFormats: () => (preset.embeddings === 'None' ? [] : ['openai-embeddings']),
    countsTokens: () => false,
    target: (call) => openaiTarget(base(call.account), call),
    headers: ({ account }, secret) => ({
      ...account.headers,
      ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }),
    }),
    defaultHeaders: {},
    forwardedRequestHeaders: OPENAI_REQUEST_HEADERS,
    forwardedReplyHeaders: OPENAI_REPLY_HEADERS,
    classifyFailure: (reply, nowMs) =>
      classifyFailure({ readError: readOpenAIError, ...preset.failures }, reply, nowMs),
    readRateLimits: readOpenAIRateLimits,
    quirks: () => quirks,
    issuer: () => preset.telemetryName,
    capabilities: () => ({}),
    healthCheck: (account) => ({ url: `${base(account)}/models`, method: 'GET' }),
  }
}

import type { ChatFormatName, EmbeddingFormatName } from '#formats/format.ts'
import type { Account } from '#table/routing-table.ts'
import { anthropicProvider } from '../anthropic/anthropic.ts'
import { baseUrl } from '../build-url.ts'
import { geminiProvider } from '../gemini/gemini.ts'
import { ollamaProvider } from '../ollama/ollama.ts'
import { openaiProvider } from '../openai/openai.ts'
import type { FailedReply, Operation, Provider, UpstreamCall } from '../provider.ts'
import { member, parseBody, textMember } from '../read-error-body.ts'

/** Where `korproxy mock-provider` listens when nothing else is said. */
const MOCK_BASE_URL = 'http://127.0.0.1:1340'

/** Every format the simulator speaks, so that a demonstration works with any client and nothing is translated. */
const CHAT: readonly ChatFormatName[] = [
  'openai-chat',
  'openai-responses',
  'openai-completions',
  'anthropic',
  'gemini',
  'ollama-chat',
  'ollama-generate',
]
const EMBEDDING: readonly EmbeddingFormatName[] = [
  'openai-embeddings',
  'gemini-embed',
  'gemini-batch-embed',
  'ollama-embed',
  'ollama-embeddings',
]

/** The simulator refuses requests without a key, as providers do, and takes almost any. */
const ANY_KEY = 'sk-mock'

/** The simulator: speaks the client's own format by the paths of that format's vendor. */
export const mockProvider: Provider = {
  ...openaiProvider,
  name: 'Mock',
  telemetryName: 'mock',
  chatFormats: () => CHAT,
  embeddingFormats: () => EMBEDDING,
  countsTokens: (format) => format === 'anthropic' || format === 'gemini',
  target: (call) => {
    const speaker = speakerOf(call.operation)
    return speaker.target({ ...call, account: withBase(call.account, speaker) })
  },
  headers: (call, secret) => speakerOf(call.operation).headers(call, secret ?? ANY_KEY),
  defaultHeaders: anthropicProvider.defaultHeaders,
  forwardedRequestHeaders: [
    ...openaiProvider.forwardedRequestHeaders,
    ...anthropicProvider.forwardedRequestHeaders,
    ...geminiProvider.forwardedRequestHeaders,
    'x-mock-*',
  ],
  forwardedReplyHeaders: [...openaiProvider.forwardedReplyHeaders, ...anthropicProvider.forwardedReplyHeaders],
  classifyFailure: (reply, nowMs) => dialectOf(reply).classifyFailure(reply, nowMs),
  issuer: () => 'mock',
  healthCheck: (account) => ({ url: `${mockBase(account)}/v1/models`, method: 'GET' }),
}

function speakerOf(operation: Operation): Provider {
  if (operation.kind === 'other') return anthropicProvider
  const { format } = operation
  if (format === 'anthropic') return anthropicProvider
  if (format.startsWith('gemini')) return geminiProvider
  return format.startsWith('ollama') ? ollamaProvider : openaiProvider
}

/** Errors come in the format of the request, and each vendor's body has its own mark. */
function dialectOf({ body }: FailedReply): Provider {
  const parsed = parseBody(body)
  const error = member(Array.isArray(parsed) ? parsed[0] : parsed, 'error')
  if (textMember(parsed, 'type') === 'error') return anthropicProvider
  if (typeof error === 'string') return ollamaProvider
  return textMember(error, 'status') === '' ? openaiProvider : geminiProvider
}

function mockBase(account: Account): string {
  return baseUrl(account, MOCK_BASE_URL).replace(/\/v1$/, '')
}

function withBase(account: UpstreamCall['account'], speaker: Provider): Account {
  const base = mockBase(account)
  return { ...account, baseUrl: speaker === openaiProvider ? `${base}/v1` : base }
}

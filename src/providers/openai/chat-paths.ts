import type { ChatFormatName, EmbeddingFormatName } from '#formats/format.ts'
import { joinPath, withQuery } from '../build-url.ts'
import type { UpstreamCall, UpstreamTarget } from '../provider.ts'

const CHAT: Partial<Readonly<Record<ChatFormatName, string>>> = {
  'openai-chat': '/chat/completions',
  'openai-responses': '/responses',
  'openai-completions': '/completions',
  anthropic: '/messages',
}
const EMBEDDING: Partial<Readonly<Record<EmbeddingFormatName, string>>> = { 'openai-embeddings': '/embeddings' }

/** Paths below a base URL that ends with the version, as OpenAI's and compatible servers' do. */
export function openaiTarget(base: string, call: UpstreamCall): UpstreamTarget {
  const { operation } = call
  if (operation.kind === 'other') {
    return { url: withQuery(joinPath(base, operation.path), call.query), method: operation.method }
  }
  const path = operation.kind === 'embedding' ? EMBEDDING[operation.format] : CHAT[operation.format]
  if (path === undefined) throw new Error(`no OpenAI path for ${operation.format}`)
  const suffix = operation.kind === 'count-tokens' ? '/count_tokens' : ''
  return { url: withQuery(base + path + suffix, call.query), method: 'POST' }
}

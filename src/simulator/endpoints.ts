import { checkCountTokens, checkMessages } from './anthropic/check-messages.ts'
import { replyCountTokens, replyMessages } from './anthropic/messages-reply.ts'
import type { CallContext, Refusal } from './call-context.ts'
import { checkGeminiBatchEmbed, checkGeminiCount, checkGeminiEmbed, checkGenerate } from './gemini/check-generate.ts'
import { replyGeminiBatchEmbed, replyGeminiCount, replyGeminiEmbed, replyGenerate } from './gemini/gemini-reply.ts'
import { type JsonMap, memberOf } from './json-value.ts'
import { replyModel, replyModels, replyOllamaPs, replyOllamaShow, replyOllamaTags } from './models-reply.ts'
import { checkOllamaChat, checkOllamaEmbed, checkOllamaEmbeddings, checkOllamaGenerate } from './ollama/check-ollama.ts'
import { replyOllamaChat, replyOllamaEmbed, replyOllamaEmbeddings, replyOllamaGenerate } from './ollama/ollama-reply.ts'
import { replyChat, replyCompletion } from './openai/chat-reply.ts'
import { checkChat, missing } from './openai/check-chat.ts'
import { checkResponses } from './openai/check-responses.ts'
import { checkEmbeddings, replyEmbeddings } from './openai/embeddings-reply.ts'
import { replyInputTokens, replyResponses } from './openai/responses-reply.ts'
import type { Operation } from './operation.ts'
import { jsonReply, type Reply } from './wire-event.ts'

/** What an operation refuses, and how it answers what it accepts. */
export interface Endpoint {
  readonly check?: (body: JsonMap, context: CallContext) => Refusal | undefined
  readonly reply: (body: JsonMap, context: CallContext) => Reply
}

/** The token endpoint is not among them: it keeps state. */
export const ENDPOINTS: Record<Exclude<Operation, 'token'>, Endpoint> = {
  chat: { check: checkChat, reply: replyChat },
  responses: { check: checkResponses, reply: replyResponses },
  'responses-tokens': { reply: replyInputTokens },
  completions: { check: checkCompletion, reply: replyCompletion },
  embeddings: { check: checkEmbeddings, reply: replyEmbeddings },
  models: { reply: (_body, context) => replyModels(context) },
  model: { reply: (_body, context) => replyModel(context) },
  'key-info': {
    reply: () =>
      jsonReply({ data: { label: 'mock', usage: 0.5, limit: 10, limit_remaining: 9.5, is_free_tier: false } }),
  },
  messages: { check: checkMessages, reply: replyMessages },
  'count-tokens': { check: checkCountTokens, reply: replyCountTokens },
  'gemini-generate': { check: checkGenerate, reply: replyGenerate },
  'gemini-stream': { check: checkGenerate, reply: replyGenerate },
  'gemini-count': { check: checkGeminiCount, reply: replyGeminiCount },
  'gemini-embed': { check: checkGeminiEmbed, reply: replyGeminiEmbed },
  'gemini-batch-embed': { check: checkGeminiBatchEmbed, reply: replyGeminiBatchEmbed },
  'ollama-chat': { check: checkOllamaChat, reply: replyOllamaChat },
  'ollama-generate': { check: checkOllamaGenerate, reply: replyOllamaGenerate },
  'ollama-embed': { check: checkOllamaEmbed, reply: replyOllamaEmbed },
  'ollama-embeddings': { check: checkOllamaEmbeddings, reply: replyOllamaEmbeddings },
  'ollama-tags': { reply: replyOllamaTags },
  'ollama-show': { reply: (_body, context) => replyOllamaShow(context) },
  'ollama-version': { reply: () => jsonReply({ version: '0.12.6' }) },
  'ollama-ps': { reply: (_body, context) => replyOllamaPs(context) },
}

function checkCompletion(body: JsonMap): Refusal | undefined {
  return memberOf(body, 'prompt') === undefined ? missing('prompt') : undefined
}

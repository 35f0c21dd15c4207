import type { ChatFormat, ChatFormatName, ModelCapabilities, TargetModel, TargetQuirks } from '#formats/format.ts'
import { CHAT_FORMATS } from '#formats/registry.ts'

/** A model as the catalogue and its provider describe it, and where the simulator serves it. */
export interface Target {
  readonly format: ChatFormat
  readonly model: TargetModel
  readonly headers: Readonly<Record<string, string>>
  path(stream: boolean): string
}

interface TargetFacts {
  readonly format: ChatFormatName
  readonly issuer: string
  readonly capabilities?: ModelCapabilities
  readonly quirks?: Partial<TargetQuirks>
  readonly maxOutputTokens?: number
  /** Where an OpenAI-like server stands. */
  readonly base?: string
}

const ALL: ModelCapabilities = {
  tools: true,
  forcedToolUse: true,
  vision: true,
  pdf: true,
  audioIn: true,
  reasoning: true,
  sampling: true,
  jsonSchema: true,
  prefill: true,
}
const OPENAI: Partial<TargetQuirks> = {
  maxTokensField: 'max_completion_tokens',
  midSystemAs: 'system',
  streamUsage: true,
}
const THINKER: ModelCapabilities = { tools: true, vision: true, reasoning: true, sampling: false, jsonSchema: true }
const ANTHROPIC_HEADERS = { 'x-api-key': 'k', 'anthropic-version': '2023-06-01' }

function target(id: string, facts: TargetFacts): Target {
  const { format, issuer, capabilities = {}, quirks = {}, maxOutputTokens, base = '/v1' } = facts
  return {
    format: CHAT_FORMATS[format],
    model: {
      id,
      issuer,
      capabilities,
      quirks: { onUnsupported: 'Drop', ...quirks },
      ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    },
    headers: format === 'anthropic' ? ANTHROPIC_HEADERS : { authorization: 'Bearer k' },
    path: (stream) => pathOf(format, { base, id, stream }),
  }
}

function pathOf(format: ChatFormatName, { base, id, stream }: { base: string; id: string; stream: boolean }): string {
  switch (format) {
    case 'openai-chat':
      return `${base}/chat/completions`
    case 'openai-responses':
      return `${base}/responses`
    case 'anthropic':
      return '/v1/messages'
    case 'gemini':
      return `/v1beta/models/${id}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`
    case 'ollama-chat':
      return '/api/chat'
    default:
      throw new Error(`${format} is no target`)
  }
}

/** One model a format that can do everything: its requests are golden files, and every client is answered by it. */
export const TARGETS: Readonly<Record<string, Target>> = {
  'openai-chat': target('gpt-4o', {
    format: 'openai-chat',
    issuer: 'openai',
    capabilities: { ...ALL, reasoning: false },
    quirks: OPENAI,
    maxOutputTokens: 16_384,
  }),
  'openai-responses': target('gpt-4.1', {
    format: 'openai-responses',
    issuer: 'openai',
    capabilities: { ...ALL, reasoning: false },
    quirks: OPENAI,
    maxOutputTokens: 32_768,
  }),
  anthropic: target('claude-sonnet-4-0', {
    format: 'anthropic',
    issuer: 'anthropic',
    capabilities: ALL,
    maxOutputTokens: 64_000,
  }),
  gemini: target('gemini-3-pro', {
    format: 'gemini',
    issuer: 'gemini',
    capabilities: { ...ALL, thinkingLevel: true },
    maxOutputTokens: 65_536,
  }),
  'ollama-chat': target('qwen3', {
    format: 'ollama-chat',
    issuer: 'ollama',
    capabilities: ALL,
    quirks: { numCtx: 32_768 },
  }),
}

/** An older model, whose JSON answers come from a tool that stands for the schema. */
export const ANSWERING: Readonly<Record<string, Target>> = {
  ...TARGETS,
  'anthropic without schemas': target('claude-3-5-haiku', {
    format: 'anthropic',
    issuer: 'anthropic',
    capabilities: { ...ALL, jsonSchema: false },
    maxOutputTokens: 8_192,
  }),
}

/** Models that differ, and models of which nothing is known. */
export const OTHER_TARGETS: Readonly<Record<string, Target>> = {
  'gpt-5': target('gpt-5', { format: 'openai-chat', issuer: 'openai', capabilities: THINKER, quirks: OPENAI }),
  'gpt-5-codex': target('gpt-5-codex', {
    format: 'openai-responses',
    issuer: 'openai',
    capabilities: THINKER,
    quirks: OPENAI,
  }),
  'unknown at OpenAI': target('gpt-x', { format: 'openai-chat', issuer: 'openai', quirks: OPENAI }),
  'unknown at OpenAI, Responses': target('gpt-x', { format: 'openai-responses', issuer: 'openai', quirks: OPENAI }),
  groq: target('llama-3.3', {
    format: 'openai-chat',
    issuer: 'groq',
    quirks: { midSystemAs: 'user' },
    base: '/groq/v1',
  }),
  deepseek: target('deepseek-reasoner', {
    format: 'openai-chat',
    issuer: 'deepseek',
    capabilities: { tools: true, reasoning: true },
    quirks: { midSystemAs: 'user', replayReasoning: true },
    base: '/deepseek/v1',
  }),
  'claude-opus-4-8': target('claude-opus-4-8', {
    format: 'anthropic',
    issuer: 'anthropic',
    capabilities: {
      ...THINKER,
      forcedToolUse: true,
      adaptiveThinking: true,
      midSystem: true,
      effortMax: true,
      pdf: true,
    },
  }),
  'claude-opus-5-5': target('claude-opus-5-5', {
    format: 'anthropic',
    issuer: 'anthropic',
    capabilities: { ...THINKER, forcedToolUse: false, adaptiveThinking: true, thinkingAlwaysOn: true, midSystem: true },
  }),
  'claude-3-5-haiku': target('claude-3-5-haiku', {
    format: 'anthropic',
    issuer: 'anthropic',
    capabilities: { tools: true, vision: true },
    maxOutputTokens: 8_192,
  }),
  'unknown at Anthropic': target('claude-x', { format: 'anthropic', issuer: 'anthropic' }),
  'gemini-2.5-flash': target('gemini-2.5-flash', {
    format: 'gemini',
    issuer: 'gemini',
    capabilities: ALL,
    maxOutputTokens: 65_536,
  }),
  'gemini-2.5-flash with old schemas': target('gemini-2.5-flash', {
    format: 'gemini',
    issuer: 'gemini',
    quirks: { openApiSchemas: true },
  }),
  'unknown at Gemini': target('gemini-x', { format: 'gemini', issuer: 'gemini' }),
  'llama3.2': target('llama3.2', { format: 'ollama-chat', issuer: 'ollama', capabilities: { tools: true } }),
  'unknown at Ollama': target('x', { format: 'ollama-chat', issuer: 'ollama' }),
}

import type { Account, ProviderName } from '#table/routing-table.ts'
import { anyGlob, type GlobMatcher } from './glob.ts'

const ANTHROPIC_MODELS = ['claude-*']
const GEMINI_MODELS = ['gemini-*', 'models/gemini-*']
const OPENAI_MODELS = [
  'gpt-*',
  'chatgpt-*',
  'o1',
  'o1-*',
  'o3',
  'o3-*',
  'o4-*',
  'text-embedding-3-*',
  'text-embedding-ada-*',
]

/** Vendors that serve their own models only, and the names that are certainly another's. */
const FOREIGN_MODELS: Partial<Record<ProviderName, GlobMatcher>> = {
  Anthropic: anyGlob([...GEMINI_MODELS, ...OPENAI_MODELS]),
  Gemini: anyGlob([...ANTHROPIC_MODELS, ...OPENAI_MODELS]),
  OpenAI: anyGlob([...ANTHROPIC_MODELS, ...GEMINI_MODELS]),
  Codex: anyGlob([...ANTHROPIC_MODELS, ...GEMINI_MODELS]),
}

/**
 * Whether the vendor itself is asked for another vendor's model. Accounts without an `allow` list share a group this way: `claude-*`
 * goes to the Anthropic account at the first attempt. An account with its own base URL may serve anything.
 */
export function isForeignModel({ provider, baseUrl }: Account, model: string): boolean {
  return baseUrl === undefined && FOREIGN_MODELS[provider]?.(model) === true
}

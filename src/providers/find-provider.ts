import type { Account, ProviderName } from '#table/routing-table.ts'
import { anthropicProvider } from './anthropic/anthropic.ts'
import { azureOpenaiProvider } from './azure-openai/azure-openai.ts'
import { codexProvider } from './codex/codex.ts'
import { geminiProvider } from './gemini/gemini.ts'
import { mockProvider } from './mock/mock.ts'
import { ollamaProvider } from './ollama/ollama.ts'
import { openaiProvider } from './openai/openai.ts'
import { findPresetProvider, openaiCompatibleProvider } from './openai-compatible/openai-compatible.ts'
import { openrouterProvider } from './openrouter/openrouter.ts'
import type { Provider } from './provider.ts'

/** A new provider is a folder and a line here. */
const PROVIDERS: Readonly<Record<ProviderName, Provider>> = {
  OpenAI: openaiProvider,
  Anthropic: anthropicProvider,
  Gemini: geminiProvider,
  Ollama: ollamaProvider,
  OpenRouter: openrouterProvider,
  AzureOpenAI: azureOpenaiProvider,
  OpenAICompatible: openaiCompatibleProvider,
  Codex: codexProvider,
  Mock: mockProvider,
}

export function findProvider(account: Account): Provider {
  return account.provider === 'OpenAICompatible' ? findPresetProvider(account) : PROVIDERS[account.provider]
}

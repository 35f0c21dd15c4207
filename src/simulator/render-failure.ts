import { anthropicFailure } from './anthropic/anthropic-failure.ts'
import type { CallContext } from './call-context.ts'
import type { Failure, RenderedFailure } from './failure-kind.ts'
import { geminiFailure } from './gemini/gemini-failure.ts'
import { ollamaFailure } from './ollama/ollama-failure.ts'
import { oauthFailure, openaiFailure } from './openai/openai-failure.ts'
import { openrouterFailure } from './openai/openrouter-failure.ts'

/** The failure as this provider words it: status, headers and body. */
export function renderFailure(failure: Failure, context: CallContext): RenderedFailure {
  switch (context.dialect) {
    case 'openai':
    case 'azure':
      return openaiFailure(failure, context)
    case 'openrouter':
      return openrouterFailure(failure)
    case 'anthropic':
      return anthropicFailure(failure, context)
    case 'gemini':
      return geminiFailure(failure, context)
    case 'ollama':
      return ollamaFailure(failure, context)
    case 'oauth':
      return oauthFailure(failure)
  }
}

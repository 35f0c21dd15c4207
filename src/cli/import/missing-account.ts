import { IMPORT_MISSING, IMPORTED_ID, type ImportedObject, resourceObject } from './import-result.ts'

/** A word in the id of an account → what the account probably is. */
const HINTS: readonly (readonly [RegExp, Readonly<Record<string, unknown>>])[] = [
  [/openrouter/i, { provider: 'OpenRouter' }],
  [/codex/i, { provider: 'Codex' }],
  [/openai|gpt/i, { provider: 'OpenAI' }],
  [/anthropic|claude/i, { provider: 'Anthropic' }],
  [/gemini|google/i, { provider: 'Gemini' }],
  [/ollama/i, { provider: 'Ollama', baseURL: 'http://localhost:11434' }],
  [/qwen/i, { provider: 'OpenAICompatible', preset: 'Qwen' }],
  [/iflow/i, { provider: 'OpenAICompatible', preset: 'IFlow' }],
]

/** A ProviderAccount for an id that nothing more is known of; an annotation says what to add. */
export function missingAccount(
  id: string,
  name: string,
): { readonly object: ImportedObject; readonly missing: string } {
  const hint = HINTS.find(([word]) => word.test(id))?.[1]
  const auth = { auth: { secretKeyRef: { name } } }
  if (hint === undefined) {
    const missing = `set its provider, create Secret ${name} with the key apiKey, then set state: Enabled`
    const spec = { provider: 'OpenAI', ...auth, state: 'Disabled' }
    return { object: account(id, name, missing, spec), missing }
  }
  if (hint['provider'] === 'Ollama') {
    const missing = 'check its baseURL'
    return { object: account(id, name, missing, hint), missing }
  }
  const missing = `check its provider and create Secret ${name} with the key apiKey`
  return { object: account(id, name, missing, { ...hint, ...auth }), missing }
}

function account(id: string, name: string, missing: string, spec: Readonly<Record<string, unknown>>): ImportedObject {
  return resourceObject('ProviderAccount', name, spec, { [IMPORTED_ID]: id, [IMPORT_MISSING]: missing })
}

import type { ModelFamily } from '#table/routing-table.ts'

/**
 * Families of model names, in order of precedence: what kind of request a bare model name stands for, and names for rules
 * (`modelFamilies`). Names that carry a vendor prefix (`openai/gpt-4o`) belong to the same families.
 */
export const BUILTIN_FAMILIES: readonly ModelFamily[] = [
  family('embedding', 'embedding', [
    'text-embedding-*',
    'embed-*',
    'gemini-embedding-*',
    'embedding-*',
    'nomic-embed*',
    'mxbai-embed*',
    'bge-*',
    'gte-*',
    'e5-*',
    'voyage-*',
    'all-minilm*',
    '*-embed*',
  ]),
  family('completion', 'completion', ['gpt-3.5-turbo-instruct*', 'code-*', 'davinci-002', 'babbage-002']),
  family('openai', 'chat', ['gpt-*', 'chatgpt-*', 'codex-*', 'o1*', 'o3*', 'o4*']),
  family('claude', 'chat', ['claude-*']),
  family('gemini', 'chat', ['gemini-*']),
  family('gemma', 'chat', ['gemma*']),
  family('llama', 'chat', ['llama*', 'meta-llama*', 'codellama*']),
  family('qwen', 'chat', ['qwen*', 'qwq*']),
  family('mistral', 'chat', [
    'mistral*',
    'mixtral*',
    'ministral*',
    'magistral*',
    'codestral*',
    'devstral*',
    'pixtral*',
  ]),
  family('deepseek', 'chat', ['deepseek*']),
  family('grok', 'chat', ['grok*']),
  family('kimi', 'chat', ['kimi*', 'moonshot*']),
  family('glm', 'chat', ['glm*', 'chatglm*']),
  family('minimax', 'chat', ['minimax*']),
  family('phi', 'chat', ['phi*']),
  family('command', 'chat', ['command*']),
  family('nova', 'chat', ['nova-*']),
]

/** Each pattern also with a vendor before it, unless it begins with a star, which crosses `/` anyway. */
function family(
  name: string,
  requestType: NonNullable<ModelFamily['requestType']>,
  patterns: readonly string[],
): ModelFamily {
  return {
    name,
    requestType,
    patterns: patterns.flatMap((pattern) => (pattern.startsWith('*') ? [pattern] : [pattern, `*/${pattern}`])),
  }
}

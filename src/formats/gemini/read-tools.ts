import type { Tool, ToolChoice } from '../ir/chat-request.ts'
import { readSchema } from './read-schema.ts'
import type { GeminiTool, GeminiToolConfig } from './request-schema.ts'

interface ReadTools {
  readonly tools: readonly Tool[]
  /** Google's own tools (`googleSearch`, `codeExecution`, `urlContext` …), which nobody else can run, and what it alone asks of a function. */
  readonly dropped: readonly string[]
}

const DECLARED = new Set(['name', 'description', 'parameters', 'parametersJsonSchema'])

function otherKeys(objects: readonly object[], known: ReadonlySet<string>): string[] {
  return objects.flatMap((object) => Object.keys(object).filter((key) => !known.has(key)))
}

/** Function declarations of all tools. */
export function readDeclarations(tools: readonly GeminiTool[]): ReadTools {
  const declarations = tools.flatMap((tool) => tool.functionDeclarations ?? [])
  return {
    tools: declarations.map((declaration): Tool => {
      const schema = declaration.parametersJsonSchema ?? declaration.parameters
      return {
        name: declaration.name,
        description: declaration.description,
        parameters: schema === undefined ? undefined : readSchema(schema),
        strict: undefined,
        origin: { kind: 'function' },
      }
    }),
    dropped: [
      ...tools.flatMap((tool) => Object.keys(tool).filter((key) => key !== 'functionDeclarations')),
      ...otherKeys(declarations, DECLARED).map((key) => `functionDeclarations.${key}`),
    ],
  }
}

/** What else a `toolConfig` says is for Google's own tools. */
export function toolConfigLosses(config: GeminiToolConfig | undefined): string[] {
  return otherKeys([config ?? {}], CONFIGURED).map((key) => `toolConfig.${key}`)
}

const CONFIGURED = new Set(['functionCallingConfig'])

/** @see https://ai.google.dev/api/caching#FunctionCallingConfig */
export function readCallingConfig(config: GeminiToolConfig | undefined): ToolChoice | undefined {
  const { mode, allowedFunctionNames: names = [] } = config?.functionCallingConfig ?? {}
  // Google's SDKs write their enumerations in either case.
  switch (mode?.toUpperCase()) {
    case 'NONE':
      return { type: 'none' }
    case 'ANY':
      return names.length > 0 ? { type: 'tools', names, mode: 'required' } : { type: 'required' }
    case 'VALIDATED':
      return names.length > 0 ? { type: 'tools', names, mode: 'auto' } : { type: 'auto' }
    case 'AUTO':
      return { type: 'auto' }
    default:
      return undefined
  }
}

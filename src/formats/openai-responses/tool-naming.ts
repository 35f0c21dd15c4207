import type { Tool, ToolOrigin } from '../ir/chat-request.ts'
import { type NameRule, toolNameMap } from '../ir/tool-names.ts'

/** OpenAI: letters, digits, `_` and `-`, at most 64. */
const OPENAI_NAMES: NameRule = { allowed: /[A-Za-z0-9_-]/, maxLength: 64, letterFirst: false }

/** A tool within a namespace is known to other formats by one flat name. */
export function flatToolName(namespace: string, name: string): string {
  return `${namespace}__${name}`
}

/** How a tool of the request is called on the wire of this format. */
export interface WireToolName {
  readonly name: string
  readonly namespace: string | undefined
  readonly custom: boolean
}

/** Names of the request's tools as the Responses API writes them; a name that is not in the request is a plain function. */
export interface WireToolNames {
  of(name: string): WireToolName
  /** Wire name → name in the request, where they differ; flat names stand for themselves. */
  readonly changed: ReadonlyMap<string, string>
}

/** For the client: every tool by the name that the client gave it. */
export function clientToolNames(tools: readonly Tool[]): WireToolNames {
  const byName = new Map(tools.map((tool) => [tool.name, wireName(tool.name, tool.origin)]))
  return {
    of: (name) => byName.get(name) ?? { name, namespace: undefined, custom: false },
    changed: new Map(),
  }
}

/** For an upstream: names it would refuse are cleaned; namespaces stay as they came. */
export function upstreamToolNames(tools: readonly Tool[], historyNames: readonly string[]): WireToolNames {
  const spaced = new Set(tools.filter((tool) => tool.origin.kind === 'namespace').map((tool) => tool.name))
  const cleaned = toolNameMap(
    tools.filter((tool) => !spaced.has(tool.name)),
    historyNames.filter((name) => !spaced.has(name)),
    OPENAI_NAMES,
  )
  const client = clientToolNames(tools)
  return {
    of: (name) => (spaced.has(name) ? client.of(name) : { ...client.of(name), name: cleaned.encode(name) }),
    changed: cleaned.changed,
  }
}

function wireName(name: string, origin: ToolOrigin): WireToolName {
  switch (origin.kind) {
    case 'function':
      return { name, namespace: undefined, custom: false }
    case 'custom':
      return { name, namespace: undefined, custom: true }
    case 'namespace':
      return { name: origin.name, namespace: origin.namespace, custom: origin.custom === true }
  }
}

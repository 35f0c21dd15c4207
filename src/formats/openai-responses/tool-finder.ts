import type { Tool } from '../ir/chat-request.ts'
import { flatToolName } from './tool-naming.ts'

/** Finds the tools that calls and choices mean by their namespace and name. */
export class ToolFinder {
  readonly #spaced = new Map<string, string>()
  readonly #names: ReadonlySet<string>
  readonly #tools: readonly Tool[]

  constructor(tools: readonly Tool[]) {
    this.#tools = tools
    this.#names = new Set(tools.map((tool) => tool.name))
    for (const { name, origin } of tools) {
      if (origin.kind !== 'namespace') continue
      const key = JSON.stringify([origin.namespace, origin.name])
      if (!this.#spaced.has(key)) this.#spaced.set(key, name)
    }
  }

  has(name: string): boolean {
    return this.#names.has(name)
  }

  nameOf(namespace: string | null | undefined, name: string): string {
    if (namespace === null || namespace === undefined) return name
    return this.#spaced.get(JSON.stringify([namespace, name])) ?? flatToolName(namespace, name)
  }

  namesWithin(namespace: string): string[] {
    return this.#tools.flatMap(({ name, origin }) =>
      origin.kind === 'namespace' && origin.namespace === namespace ? [name] : [],
    )
  }
}

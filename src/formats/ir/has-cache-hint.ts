import type { ChatRequest } from './chat-request.ts'

/** Whether the client marked any part of the request for a prompt cache. */
export function hasCacheHint({ system, tools, turns }: ChatRequest): boolean {
  if (system.some(isCached) || tools.some(isCached)) return true
  return turns.some((turn) => {
    if (turn.role !== 'tool') return turn.parts.some(isCached)
    return turn.results.some((result) => isCached(result) || result.parts.some(isCached))
  })
}

function isCached(it: object): boolean {
  return 'cache' in it && it.cache !== undefined
}

import type { z } from 'zod'
import { KorProxyError } from '#errors/korproxy-error.ts'

/** Parses a client's body; the first problem becomes a 400 that names its field. */
export function parseRequestBody<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const result = schema.safeParse(body)
  if (result.success) return result.data
  throw new KorProxyError('KP-SYS-516', { message: firstIssue(result.error) }, { cause: result.error })
}

/** Parses a provider's reply; a problem means that the reply is not of its format. */
export function parseReplyBody<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const result = schema.safeParse(body)
  if (result.success) return result.data
  throw new KorProxyError('KP-PROV-109', { reason: firstIssue(result.error) }, { cause: result.error })
}

/** `messages[2].content: Invalid input: expected string`; of a union the branch that came furthest speaks. */
function firstIssue(error: z.ZodError): string {
  let path: PropertyKey[] = []
  let issue = error.issues[0]
  while (issue !== undefined) {
    path = [...path, ...issue.path]
    const branches: z.core.$ZodIssue[][] = issue.code === 'invalid_union' ? issue.errors : []
    const deepest = branches.toSorted((a, b) => (b[0]?.path.length ?? 0) - (a[0]?.path.length ?? 0))[0]?.[0]
    if (deepest === undefined) break
    issue = deepest
  }
  return `${renderPath(path)}: ${issue?.message ?? 'invalid'}`
}

function renderPath(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'body'
  return path.map((key, at) => (typeof key === 'number' ? `[${key}]` : `${at > 0 ? '.' : ''}${String(key)}`)).join('')
}

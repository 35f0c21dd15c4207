import type { ProviderError } from './classify-failure.ts'
import type { RequestFault } from './provider.ts'

/** Parses a body that may be JSON; undefined when it is not (an HTML page of some proxy, an empty body). */
export function parseBody(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    // Not being JSON is an answer here: the status alone then decides.
    return undefined
  }
}

export function member(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return Object.getOwnPropertyDescriptor(value, key)?.value
}

export function textMember(value: unknown, key: string): string {
  const found = member(value, key)
  return typeof found === 'string' || typeof found === 'number' ? String(found) : ''
}

/** OpenAI's `{"error": {message, type, code}}` and the shapes that compatible servers make of it. */
export function readOpenAIError(body: string): ProviderError {
  const parsed = parseBody(body)
  const unwrapped = Array.isArray(parsed) ? parsed[0] : parsed
  const error = member(unwrapped, 'error') ?? unwrapped
  if (typeof error === 'string') return { words: textMember(unwrapped, 'code'), message: error }
  const words = [textMember(error, 'code'), textMember(error, 'type')].filter((word) => word !== '').join(' ')
  const message = textMember(error, 'message') || textMember(error, 'detail') || textMember(unwrapped, 'message')
  // The page of a proxy says nothing to a program.
  const isText = parsed === undefined && !/^\s*</.test(body)
  return { words, message: message === '' && isText ? body.trim().slice(0, 300) : message, ...readFault(error) }
}

/** A field's path, and a word: anything longer or odder is not meant for programs. */
const PARAMETER = /^[\x20-\x7e]{1,200}$/
const CODE = /^[a-z0-9_.-]{1,64}$/

/** @see https://platform.openai.com/docs/guides/error-codes */
function readFault(error: unknown): { readonly fault?: RequestFault } {
  const parameter = member(error, 'param')
  const code = member(error, 'code')
  const fault: RequestFault = {
    ...(typeof parameter === 'string' && PARAMETER.test(parameter) && { parameter }),
    ...(typeof code === 'string' && CODE.test(code) && { upstreamCode: code }),
  }
  return Object.keys(fault).length === 0 ? {} : { fault }
}

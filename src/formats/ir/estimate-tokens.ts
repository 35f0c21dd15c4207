import type { AssistantPart, ChatRequest, DocumentPart, ToolResult, Turn, UserPart } from './chat-request.ts'

/** English text has about four bytes a token; estimates are used where no provider counts, and are marked as such. */
export const BYTES_PER_TOKEN = 4
/** What vendors name for an image of ordinary size; how long a file is says little of its tokens. */
export const TOKENS_PER_FILE = 1_000
/** Four characters of base64 are three bytes. */
const BYTES_PER_BASE64 = 3 / 4
/** Role and separators of a message. */
const TOKENS_PER_TURN = 4

/** Estimates the prompt's tokens in linear time: a tokenizer would block the event loop on hostile text. */
export function estimateTokens(request: ChatRequest): number {
  const encoder = new TextEncoder()
  const text = (value: string): number => encoder.encode(value).length / BYTES_PER_TOKEN
  let tokens = 0
  for (const part of request.system) tokens += text(part.text)
  for (const tool of request.tools) tokens += text(JSON.stringify([tool.name, tool.description, tool.parameters]))
  for (const turn of request.turns) tokens += TOKENS_PER_TURN + turnTokens(turn, text)
  return Math.ceil(tokens)
}

function turnTokens(turn: Turn, text: (value: string) => number): number {
  if (turn.role === 'tool') return sum(turn.results.map((result) => resultTokens(result, text)))
  return sum(turn.parts.map((part) => partTokens(part, text)))
}

function resultTokens(result: ToolResult, text: (value: string) => number): number {
  return sum(result.parts.map((part) => partTokens(part, text)))
}

function partTokens(part: UserPart | AssistantPart, text: (value: string) => number): number {
  switch (part.type) {
    case 'text':
    case 'thinking':
    case 'refusal':
      return text(part.text)
    case 'tool-call':
      return text(part.name) + text(part.arguments)
    case 'redacted-thinking':
      return text(part.data.value)
    case 'image':
    case 'audio':
      return TOKENS_PER_FILE
    case 'document':
      return documentTokens(part, text)
  }
}

function documentTokens({ source }: DocumentPart, text: (value: string) => number): number {
  if (source.kind === 'text') return text(source.text)
  if (source.kind !== 'base64' || !source.mediaType.startsWith('text/')) return TOKENS_PER_FILE
  return (source.data.length * BYTES_PER_BASE64) / BYTES_PER_TOKEN
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

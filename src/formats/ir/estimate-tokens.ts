import type { AssistantPart, ChatRequest, ToolResult, Turn, UserPart } from './chat-request.ts'

/** English text has about four bytes a token; estimates are used where no provider counts, and are marked as such. */
const BYTES_PER_TOKEN = 4
/** What vendors name for an image of ordinary size. */
const TOKENS_PER_IMAGE = 1_000
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
      return TOKENS_PER_IMAGE
    case 'document':
      if (part.source.kind === 'text') return text(part.source.text)
      return part.source.kind === 'base64' ? text(part.source.data) : TOKENS_PER_IMAGE
    case 'audio':
      return part.source.kind === 'base64' ? text(part.source.data) : TOKENS_PER_IMAGE
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

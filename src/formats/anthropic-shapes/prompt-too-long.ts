interface TokenCounts {
  readonly prompt: number
  readonly limit: number
  /** Asked for with `max_tokens`, where the provider counts it in. */
  readonly output?: number
}

/** Anthropic's own words; Claude Code reads the numbers in them, compacts the conversation or lowers `max_tokens`. */
const ANTHROPIC = [/prompt is too long/i, /input length and `max_tokens` exceed context limit/i]

/** How each provider says that a prompt does not fit. */
const PATTERNS: readonly { readonly pattern: RegExp; readonly read: (numbers: readonly number[]) => TokenCounts }[] = [
  {
    // OpenAI, vLLM: "maximum context length is 8192 tokens. However, you requested 9000 tokens (8000 in the messages, 1000 in the completion)"
    pattern:
      /maximum context length is (\d+) tokens.*?\((\d+) (?:in|from) the (?:messages|input).*?(\d+) (?:in|for) the completion/is,
    read: ([limit = 0, prompt = 0, output = 0]) => ({ prompt, limit, output }),
  },
  {
    // OpenAI: "maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens"
    pattern:
      /maximum context length is (\d+) tokens.*?(?:resulted in|requested|contains at least|has|contains) (\d+) (?:input |prompt )?tokens/is,
    read: ([limit = 0, prompt = 0]) => ({ prompt, limit }),
  },
  {
    // Gemini: "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)"
    pattern: /token count \(?(\d+)\)? exceeds the maximum number of tokens(?: allowed)? \(?(\d+)\)?/i,
    read: ([prompt = 0, limit = 0]) => ({ prompt, limit }),
  },
  {
    // llama.cpp: "the request exceeds the available context size (9000 tokens > 8192 tokens)"
    pattern: /(\d+) tokens? > (\d+)/i,
    read: ([prompt = 0, limit = 0]) => ({ prompt, limit }),
  },
]

/** A provider's words about a full context window in the words of Anthropic. */
export function promptTooLong(message: string): string {
  if (ANTHROPIC.some((pattern) => pattern.test(message))) return message
  for (const { pattern, read } of PATTERNS) {
    const match = pattern.exec(message.replaceAll(/(\d),(?=\d{3})/g, '$1'))
    if (match !== null) return renderCounts(read(match.slice(1).map(Number)))
  }
  return `prompt is too long: ${message}`
}

function renderCounts({ prompt, limit, output }: TokenCounts): string {
  if (output !== undefined && prompt <= limit) {
    return `input length and \`max_tokens\` exceed context limit: ${prompt} + ${output} > ${limit}, decrease input length or \`max_tokens\` and try again`
  }
  return `prompt is too long: ${prompt} tokens > ${limit} maximum`
}

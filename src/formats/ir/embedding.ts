/** One input to embed. Token arrays only pass to OpenAI-like providers. */
export type EmbeddingInput =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'tokens'; readonly tokens: readonly number[] }

export interface EmbeddingRequest {
  readonly model: string
  readonly inputs: readonly EmbeddingInput[]
  readonly dimensions: number | undefined
  /** How the client wants the vectors written; base64 is little-endian float32. */
  readonly encoding: 'float' | 'base64'
  /** Gemini task type, e.g. `RETRIEVAL_QUERY`. */
  readonly taskType: string | undefined
  readonly title: string | undefined
  readonly user: string | undefined
  readonly dropped: readonly string[]
}

export interface EmbeddingReply {
  readonly model: string | undefined
  readonly vectors: readonly (readonly number[])[]
  /** Undefined where the provider does not count (Gemini). */
  readonly inputTokens: number | undefined
}

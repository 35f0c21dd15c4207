export type GeminiVerb =
  | 'generateContent'
  | 'streamGenerateContent'
  | 'countTokens'
  | 'embedContent'
  | 'batchEmbedContents'

/**
 * Path and query of an operation, to be put behind a base URL that ends with the API's version.
 * Streams are asked for as server-sent events; without `alt=sse` Google answers with one JSON array.
 */
export function geminiPath(model: string, verb: GeminiVerb): string {
  const [, collection = 'models', name = model] = /^(models|tunedModels)\/(.+)$/.exec(model) ?? []
  return `/${collection}/${encodeURIComponent(name)}:${verb}${verb === 'streamGenerateContent' ? '?alt=sse' : ''}`
}

/** What a `finishReason` says: an end that clients know, or that the reply is broken. */
type FinishVerdict = 'stop' | 'length' | 'content-filter' | 'failed' | 'unspecified' | 'unknown'

const VERDICTS: ReadonlyMap<string, FinishVerdict> = new Map([
  ['FINISH_REASON_UNSPECIFIED', 'unspecified'],
  ['', 'unspecified'],
  ['STOP', 'stop'],
  ['MAX_TOKENS', 'length'],
  ['CONTINUATION', 'length'],
  ['SAFETY', 'content-filter'],
  ['RECITATION', 'content-filter'],
  ['LANGUAGE', 'content-filter'],
  ['BLOCKLIST', 'content-filter'],
  ['PROHIBITED_CONTENT', 'content-filter'],
  ['SPII', 'content-filter'],
  ['MODEL_ARMOR', 'content-filter'],
  ['IMAGE_SAFETY', 'content-filter'],
  ['IMAGE_PROHIBITED_CONTENT', 'content-filter'],
  ['IMAGE_RECITATION', 'content-filter'],
  ['IMAGE_OTHER', 'content-filter'],
  ['OTHER', 'failed'],
  ['MALFORMED_FUNCTION_CALL', 'failed'],
  ['MALFORMED_RESPONSE', 'failed'],
  ['UNEXPECTED_TOOL_CALL', 'failed'],
  ['TOO_MANY_TOOL_CALLS', 'failed'],
  ['MISSING_THOUGHT_SIGNATURE', 'failed'],
  ['NO_IMAGE', 'failed'],
])

/**
 * A failed end must not look like a short answer: agents would take it for the model's last word.
 * @see https://ai.google.dev/api/generate-content#FinishReason
 */
export function mapGeminiFinishReason(reason: string): FinishVerdict {
  return VERDICTS.get(reason) ?? 'unknown'
}

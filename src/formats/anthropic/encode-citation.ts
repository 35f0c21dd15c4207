import type { Citation } from '../ir/chat-event.ts'
import type { JsonObject } from '../ir/chat-request.ts'

/** Only web sources have an Anthropic form. `encrypted_index` is Anthropic's own and stays empty. */
export function encodeCitation(citation: Citation): JsonObject | undefined {
  if (citation.url === undefined) return undefined
  return {
    type: 'web_search_result_location',
    url: citation.url,
    title: citation.title ?? null,
    cited_text: citation.citedText ?? '',
    encrypted_index: '',
  }
}

/** Anthropic replies hold no images; the client learns that there was one. */
export function imageNotice(mediaType: string): string {
  return `[image (${mediaType}) left out: the Messages API has no images in replies]`
}

import type { Citation } from '../ir/chat-event.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import { writeDataUrl } from '../ir/data-url.ts'

/** OpenRouter's form; OpenAI's chat has none. */
export function writeImage({ mediaType, data }: { readonly mediaType: string; readonly data: string }): JsonObject {
  return { type: 'image_url', image_url: { url: writeDataUrl(mediaType, data) } }
}

/** OpenAI knows only citations of web pages: one without a URL has no form. `start` and `end` are offsets in the answer's text. */
export function writeAnnotation(
  { url, title }: Citation,
  { start, end }: { readonly start: number; readonly end: number },
): JsonObject | undefined {
  if (url === undefined) return undefined
  return { type: 'url_citation', url_citation: { url, title: title ?? url, start_index: start, end_index: end } }
}

import type { ImagePart } from '../ir/chat-request.ts'
import { readMediaUrl } from '../ir/data-url.ts'

/** How the base64 of an image begins, by its kind. */
const BEGINNINGS: readonly (readonly [string, string])[] = [
  ['/9j/', 'image/jpeg'],
  ['iVBORw', 'image/png'],
  ['R0lGOD', 'image/gif'],
  ['UklGR', 'image/webp'],
]

/** Ollama sends images as bare base64, without their kind. What is not recognised is called JPEG, the most common kind. */
export function readImage(text: string): ImagePart {
  const source = readMediaUrl(text)
  if (source.kind === 'base64') return { type: 'image', source }
  const mediaType = BEGINNINGS.find(([beginning]) => text.startsWith(beginning))?.[1] ?? 'image/jpeg'
  return { type: 'image', source: { kind: 'base64', mediaType, data: text } }
}

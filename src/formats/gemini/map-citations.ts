import type { Citation } from '../ir/chat-event.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import type { ReplyCandidate } from './reply-chunk.ts'

/** Sources of a grounded answer and of text that the model recited. */
export function readCitations(candidate: ReplyCandidate, choice: number): Citation[] {
  const { groundingMetadata: grounding, citationMetadata: recited } = candidate
  const supports = grounding?.groundingSupports ?? []
  const grounded = (grounding?.groundingChunks ?? []).map(({ web }, at): Citation => {
    const support = supports.find(({ groundingChunkIndices }) => groundingChunkIndices?.includes(at))
    return { type: 'citation', choice, url: web?.uri, title: web?.title, citedText: support?.segment?.text }
  })
  const sources = [
    ...(recited?.citations ?? []),
    ...(recited?.citationSources ?? []).map(({ uri }) => ({ uri, title: undefined })),
  ]
  return [
    ...grounded,
    ...sources.map(({ uri, title }): Citation => ({ type: 'citation', choice, url: uri, title, citedText: undefined })),
  ]
}

/** @see https://ai.google.dev/api/generate-content#GroundingMetadata */
export function writeGrounding(citations: readonly Citation[]): JsonObject {
  return {
    groundingChunks: citations.map(({ url, title }) => ({ web: { uri: url ?? '', title: title ?? url ?? '' } })),
  }
}

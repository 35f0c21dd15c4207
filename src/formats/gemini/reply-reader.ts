import type { ReplyContext } from '../format.ts'
import type { ChatEvent } from '../ir/chat-event.ts'
import { CandidateReader } from './candidate-reader.ts'
import type { CallNaming } from './function-call-reader.ts'
import { mapGoogleError } from './map-google-error.ts'
import { readGeminiUsage } from './map-usage.ts'
import type { ReplyChunk, UsageMetadata } from './reply-chunk.ts'

/** More candidates than Gemini gives (8); guards against an index from a broken reply. */
const MAX_CANDIDATES = 64

/** Reads a reply chunk by chunk; a reply that is not streamed is one chunk. */
export class GeminiReplyReader {
  readonly #issuer: string
  readonly #naming: CallNaming
  readonly #candidates = new Map<number, CandidateReader>()
  #started = false
  #callPrefix = ''
  #usage: UsageMetadata = {}

  constructor(context: ReplyContext) {
    const taken = new Set<string>()
    const claimId = (id: string): boolean => !taken.has(id) && taken.add(id).has(id)
    this.#issuer = context.issuer
    this.#naming = {
      toolNames: context.toolNames,
      claimId,
      mintId: (choice, index) => {
        let id = `call_${this.#callPrefix}${choice > 0 ? `_c${choice}` : ''}_${index}`
        while (!claimId(id)) id += 'x'
        return id
      },
    }
  }

  read(chunk: ReplyChunk): ChatEvent[] {
    if (chunk.error !== undefined) return [mapGoogleError(chunk.error)]
    const events = this.#readStart(chunk)
    if (chunk.usageMetadata !== undefined) {
      // Some chunks leave fields out that an earlier one had.
      this.#usage = { ...this.#usage, ...chunk.usageMetadata }
      events.push({ type: 'usage', usage: readGeminiUsage(this.#usage) })
    }
    const output = (this.#usage.candidatesTokenCount ?? 0) + (this.#usage.thoughtsTokenCount ?? 0)
    for (const candidate of chunk.candidates ?? []) {
      events.push(...this.#candidate(candidate.index ?? 0).read(candidate, output))
    }
    const blocked = chunk.promptFeedback?.blockReason
    if (blocked !== undefined && (chunk.candidates ?? []).length === 0) {
      const message = chunk.promptFeedback?.blockReasonMessage
      const explanation = `The prompt was blocked: ${message === undefined ? blocked : `${blocked}: ${message}`}`
      events.push({ type: 'finish', choice: 0, reason: 'content-filter', explanation })
    }
    return events
  }

  #readStart(chunk: ReplyChunk): ChatEvent[] {
    const says = chunk.candidates ?? chunk.promptFeedback ?? chunk.usageMetadata ?? chunk.responseId
    if (this.#started || says === undefined) return []
    this.#started = true
    const seed = chunk.responseId ?? ''
    // OpenAI takes ids of 40 characters at most.
    this.#callPrefix = seed === '' ? contentHash(JSON.stringify(chunk)) : seed.replaceAll(/[^\w-]/g, '').slice(0, 24)
    return [{ type: 'start', id: chunk.responseId, model: chunk.modelVersion, createdAt: undefined }]
  }

  #candidate(index: number): CandidateReader {
    const choice = Number.isInteger(index) && index >= 0 && index < MAX_CANDIDATES ? index : 0
    const known = this.#candidates.get(choice)
    if (known !== undefined) return known
    const made = new CandidateReader(choice, this.#issuer, this.#naming)
    this.#candidates.set(choice, made)
    return made
  }
}

/** FNV-1a: tells the ids of one reply from those of another where the reply has no id; no secret, no guarantee. */
function contentHash(text: string): string {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0
  return hash.toString(36)
}

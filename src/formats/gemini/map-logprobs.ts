import type { JsonObject, JsonValue } from '../ir/chat-request.ts'
import { isJsonObject } from '../ir/json-fields.ts'

/** `logprobsResult` → OpenAI's `logprobs`. @see https://ai.google.dev/api/generate-content#LogprobsResult */
export function readLogprobs(result: JsonObject): JsonObject {
  const top = objects(result['topCandidates'])
  const content = objects(result['chosenCandidates']).map((chosen, at) => ({
    ...readToken(chosen),
    top_logprobs: objects(top[at]?.['candidates']).map(readToken),
  }))
  return { content }
}

function readToken(candidate: JsonObject): JsonObject {
  return { token: candidate['token'] ?? '', logprob: candidate['logProbability'] ?? 0, bytes: null }
}

/** OpenAI's `logprobs` → `logprobsResult`. */
export function writeLogprobs(logprobs: JsonObject): JsonObject {
  const content = objects(logprobs['content'])
  return {
    chosenCandidates: content.map(writeToken),
    topCandidates: content.map((token) => ({ candidates: objects(token['top_logprobs']).map(writeToken) })),
  }
}

function writeToken(token: JsonObject): JsonObject {
  return { token: token['token'] ?? '', logProbability: token['logprob'] ?? 0 }
}

function objects(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}

import { type Answer, composeAnswer, type Prompt } from '../answer.ts'
import { type CallContext, TOKENS } from '../call-context.ts'
import { embeddingOf } from '../embedding-vector.ts'
import { type JsonMap, memberOf, numberOf, textOf } from '../json-value.ts'
import { turnOf } from '../prompt-turn.ts'
import { jsonReply, type Reply, streamReply, type WireEvent } from '../wire-event.ts'
import { protoList, protoMap, protoMember } from './proto-json.ts'

/** Signatures of this simulator, base64. */
export const GEMINI_SIGNATURE = 'bW9jay1nZW1pbmktc2lnbmF0dXJl'
const DEFAULT_DIMENSIONS = 8

function readGeminiPrompt(body: JsonMap): Prompt {
  const turn = turnOf(protoList(body, 'contents'), (content) => textOf(content, 'role') === 'model')
  const parts = turn.flatMap((content) => protoList(content, 'parts'))
  const config = protoMap(body, 'generationConfig')
  const calling = protoMap(protoMap(body, 'toolConfig'), 'functionCallingConfig')
  const declarations = protoList(body, 'tools').flatMap((tool) => protoList(tool, 'functionDeclarations'))
  const allowed = protoList(calling, 'allowedFunctionNames')
  const mode = textOf(calling, 'mode')
  return {
    userTexts: parts.map((part) => textOf(part, 'text') ?? ''),
    toolResults: parts.flatMap((part) => {
      const result = protoMember(part, 'functionResponse')
      return result === undefined ? [] : [resultText(memberOf(result, 'response'))]
    }),
    image: parts.some((part) => /^image\//.test(mimeTypeOf(part))),
    tools: declarations
      .filter((tool) => allowed.length === 0 || allowed.includes(textOf(tool, 'name')))
      .map((tool) => ({
        name: textOf(tool, 'name') ?? '',
        schema: protoMember(tool, 'parametersJsonSchema') ?? memberOf(tool, 'parameters'),
      })),
    toolChoice: choiceOf(mode),
    parallelCalls: true,
    json: protoMember(config, 'responseMimeType') === 'application/json',
    schema: protoMember(config, 'responseJsonSchema') ?? protoMember(config, 'responseSchema'),
    maxTokens: numberOf(config, 'maxOutputTokens') ?? numberOf(config, 'max_output_tokens'),
  }
}

function choiceOf(mode: string | undefined): Prompt['toolChoice'] {
  if (mode === 'ANY') return 'required'
  return mode === 'NONE' ? 'none' : 'auto'
}

/** The usual wrappers are opened, so that the quote is readable. */
function resultText(response: unknown): string {
  for (const name of ['output', 'result', 'content', 'error']) {
    const inner = memberOf(response, name)
    if (typeof inner === 'string') return inner
  }
  return JSON.stringify(response)
}

function mimeTypeOf(part: unknown): string {
  const data = protoMember(part, 'inlineData') ?? protoMember(part, 'fileData')
  const mimeType = protoMember(data, 'mimeType')
  return typeof mimeType === 'string' ? mimeType : ''
}

export function replyGenerate(body: JsonMap, context: CallContext): Reply {
  const answer = composeAnswer(readGeminiPrompt(body), context)
  if (!(context.tuning.stream ?? context.operation === 'gemini-stream')) {
    const parts = partGroups(answer, context).flat()
    return jsonReply(
      responseOf(answer, { parts: joinTexts(parts), ends: true, responseId: context.mintId('resp-') }, context),
    )
  }
  const framing = context.query.get('alt') === 'sse' ? 'sse-crlf' : 'array'
  return streamReply(framing, generateEvents(answer, context))
}

/** A non-streamed reply has one text part. */
function joinTexts(parts: readonly JsonMap[]): readonly JsonMap[] {
  const texts = parts.filter((part) => part['text'] !== undefined && part['thought'] === undefined)
  const rest = parts.filter((part) => !texts.includes(part))
  return texts.length === 0 ? rest : [...rest, { text: texts.map((part) => part['text']).join('') }]
}

/** The parts of the answer, one group a chunk. */
function partGroups(answer: Answer, context: CallContext): readonly (readonly JsonMap[])[] {
  const signs = /^gemini-[3-9]/.test(context.modelName)
  const thought = answer.thinking === undefined ? [] : [[{ text: answer.thinking, thought: true }]]
  const calls = answer.calls.map((call, index) => ({
    functionCall: { ...(signs ? { id: context.mintId('fc-') } : {}), name: call.name, args: call.input },
    ...(index === 0 && (signs || answer.thinking !== undefined) ? { thoughtSignature: GEMINI_SIGNATURE } : {}),
  }))
  return [...thought, ...answer.pieces.map((text) => [{ text }]), ...(calls.length === 0 ? [] : [calls])]
}

interface ChunkContent {
  readonly parts: readonly JsonMap[]
  /** Carries the finish reason. */
  readonly ends: boolean
  readonly responseId: string
}

/** https://ai.google.dev/api/generate-content: `candidates` is absent when the prompt is blocked, `parts` when nothing was said. */
function responseOf(answer: Answer, { parts, ends, responseId }: ChunkContent, context: CallContext): JsonMap {
  const tail = { usageMetadata: usageMetadataOf(answer), modelVersion: context.model, responseId }
  if (answer.finish === 'blocked') return { promptFeedback: { blockReason: 'PROHIBITED_CONTENT' }, ...tail }
  const reasons = { stop: 'STOP', tools: 'STOP', length: 'MAX_TOKENS', filter: 'SAFETY' }
  const candidate = {
    content: parts.length === 0 ? { role: 'model' } : { parts, role: 'model' },
    ...(ends ? { finishReason: reasons[answer.finish] } : {}),
    index: 0,
    ...(ends && answer.finish === 'filter'
      ? { safetyRatings: [{ category: 'HARM_CATEGORY_DANGEROUS_CONTENT', probability: 'HIGH', blocked: true }] }
      : {}),
  }
  return { candidates: [candidate], ...tail }
}

/** `promptTokenCount` includes the cache, `candidatesTokenCount` excludes thoughts. */
function usageMetadataOf(answer: Answer): JsonMap {
  const thoughts = answer.thinking === undefined ? 0 : TOKENS.reasoning
  return {
    promptTokenCount: TOKENS.input,
    cachedContentTokenCount: TOKENS.cached,
    candidatesTokenCount: TOKENS.output - thoughts,
    ...(thoughts === 0 ? {} : { thoughtsTokenCount: thoughts }),
    totalTokenCount: TOKENS.input + TOKENS.output,
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: TOKENS.input }],
  }
}

/** No terminator: the chunk with the finish reason is the last, and it may carry the last part or none. */
function generateEvents(answer: Answer, context: CallContext): WireEvent[] {
  const responseId = context.mintId('resp-')
  const groups = partGroups(answer, context)
  const body = groups.map(
    (parts): WireEvent => ({ kind: 'content', data: responseOf(answer, { parts, ends: false, responseId }, context) }),
  )
  const last = responseOf(answer, { parts: groups.length === 0 ? [] : [{ text: '' }], ends: true, responseId }, context)
  return [...body, { kind: 'finish', data: last }]
}

export function replyGeminiCount(): Reply {
  return jsonReply({ totalTokens: TOKENS.input, promptTokensDetails: [{ modality: 'TEXT', tokenCount: TOKENS.input }] })
}

export function replyGeminiEmbed(body: JsonMap): Reply {
  return jsonReply({ embedding: { values: embeddingOfRequest(body) } })
}

export function replyGeminiBatchEmbed(body: JsonMap): Reply {
  return jsonReply({
    embeddings: protoList(body, 'requests').map((request) => ({ values: embeddingOfRequest(request) })),
  })
}

function embeddingOfRequest(request: unknown): readonly number[] {
  const text = protoList(protoMap(request, 'content'), 'parts')
    .map((part) => textOf(part, 'text') ?? '')
    .join('')
  const asked = protoMember(request, 'outputDimensionality')
  return embeddingOf(text, typeof asked === 'number' ? asked : DEFAULT_DIMENSIONS)
}

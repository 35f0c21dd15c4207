import { z } from 'zod'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { EmbeddingFormat } from '../format.ts'
import { oneOrMany, protoMessage } from '../gemini/camel-case.ts'
import { readModelName } from '../gemini/decode-request.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import { isJsonObject } from '../ir/json-fields.ts'
import { parseReplyBody, parseRequestBody } from '../ir/parse-with.ts'
import {
  type EmbedContentRequest,
  embedContentRequest,
  readEmbeddingInput,
  uncarriedFields,
} from './embed-content-schema.ts'
import { droppedEmbeddingFields, modelResource, writeEmbedRequest } from './write-embed-request.ts'

const embedContentReply = z.object({ embedding: z.object({ values: z.array(z.number()) }) })

/** Google's `embedContent`: one input, one vector. @see https://ai.google.dev/api/embeddings */
export const geminiEmbed: EmbeddingFormat = {
  name: 'gemini-embed',
  family: 'gemini',
  decodeRequest: (body, path) => {
    const request = parseRequestBody(embedContentRequest, body)
    return {
      model: readModelName(path.model ?? request.model),
      inputs: [readEmbeddingInput(request, 'content')],
      dimensions: request.outputDimensionality,
      encoding: 'float',
      taskType: request.taskType,
      title: request.title,
      user: undefined,
      dropped: uncarriedFields(request),
    }
  },
  encodeRequest: (request, target) => {
    const [input, ...more] = request.inputs
    if (input === undefined || more.length > 0) {
      throw new KorProxyError('KP-PROV-112', {
        parameter: 'input',
        target: 'gemini embedContent',
        reason: 'it takes exactly one; batchEmbedContents takes several',
      })
    }
    return { body: writeEmbedRequest(input, request, target), dropped: droppedEmbeddingFields(request) }
  },
  decodeReply: (body) => {
    const { embedding } = parseReplyBody(embedContentReply, body)
    return { model: undefined, vectors: [embedding.values], inputTokens: undefined }
  },
  encodeReply: (reply) => ({ embedding: { values: reply.vectors[0] ?? [] } }),
  withModel: renamed,
}

/** Google refuses a model in the body that is not the one of the path. */
function renamed(body: JsonObject, model: string): JsonObject {
  return body['model'] === undefined ? body : { ...body, model: modelResource(model) }
}

const batchRequest = protoMessage({ requests: oneOrMany(embedContentRequest) })
const batchReply = z.object({ embeddings: z.array(z.object({ values: z.array(z.number()) })) })

/** Google's `batchEmbedContents`, which its SDKs call for single inputs too. @see https://ai.google.dev/api/embeddings */
export const geminiBatchEmbed: EmbeddingFormat = {
  name: 'gemini-batch-embed',
  family: 'gemini',
  decodeRequest: (body, path) => {
    const { requests } = parseRequestBody(batchRequest, body)
    const [first] = requests
    if (first === undefined) throw new KorProxyError('KP-SYS-516', { message: 'requests: is empty' })
    return {
      model: readModelName(path.model ?? first.model),
      inputs: requests.map((request, at) => readEmbeddingInput(request, `requests[${at}].content`)),
      dimensions: sharedDimensions(requests),
      encoding: 'float',
      // Nobody else has them, so that they may differ.
      taskType: requests.find(({ taskType }) => taskType !== undefined)?.taskType,
      title: requests.find(({ title }) => title !== undefined)?.title,
      user: undefined,
      dropped: [...new Set(requests.flatMap(uncarriedFields))],
    }
  },
  encodeRequest: (request, target) => ({
    body: { requests: request.inputs.map((input) => writeEmbedRequest(input, request, target)) },
    dropped: droppedEmbeddingFields(request),
  }),
  decodeReply: (body) => {
    const { embeddings } = parseReplyBody(batchReply, body)
    return { model: undefined, vectors: embeddings.map(({ values }) => values), inputTokens: undefined }
  },
  encodeReply: (reply) => ({ embeddings: reply.vectors.map((values) => ({ values })) }),
  withModel: (body, model) => {
    const { requests } = body
    if (!Array.isArray(requests)) return body
    return { ...body, requests: requests.map((request) => (isJsonObject(request) ? renamed(request, model) : request)) }
  },
}

/** Other formats say it once for all inputs. @throws KorProxyError KP-PROV-112 when the requests differ */
function sharedDimensions(requests: readonly EmbedContentRequest[]): number | undefined {
  const dimensions = requests[0]?.outputDimensionality
  if (requests.every(({ outputDimensionality }) => outputDimensionality === dimensions)) return dimensions
  throw new KorProxyError('KP-PROV-112', {
    parameter: 'requests[].outputDimensionality',
    target: 'other formats',
    reason: 'it must be the same for all requests of a batch',
  })
}

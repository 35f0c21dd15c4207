import { type CallContext, type Refusal, TOKENS } from '../call-context.ts'
import { embeddingOf } from '../embedding-vector.ts'
import { type JsonMap, memberOf, numberOf } from '../json-value.ts'
import { jsonReply, type Reply } from '../wire-event.ts'
import { openaiHeaders } from './openai-failure.ts'

const DEFAULT_DIMENSIONS = 8

/** https://platform.openai.com/docs/api-reference/embeddings */
export function checkEmbeddings(body: JsonMap, context: CallContext): Refusal | undefined {
  const inputs = inputsOf(body)
  if (memberOf(body, 'input') === undefined) {
    return { message: "Missing required parameter: 'input'.", param: 'input', code: 'missing_required_parameter' }
  }
  if (inputs.length === 0 || inputs.some((item) => item === '' || !isInput(item))) {
    return {
      message: "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.",
    }
  }
  const format = memberOf(body, 'encoding_format')
  if (format !== undefined && format !== 'float' && format !== 'base64') {
    return {
      message: `Invalid value: '${String(format)}'. Supported values are: 'float' and 'base64'.`,
      param: 'encoding_format',
    }
  }
  if (memberOf(body, 'dimensions') !== undefined && context.modelName === 'text-embedding-ada-002') {
    return { message: 'This model does not support specifying dimensions.', param: 'dimensions' }
  }
  return undefined
}

export function replyEmbeddings(body: JsonMap, context: CallContext): Reply {
  const dimensions = numberOf(body, 'dimensions') ?? DEFAULT_DIMENSIONS
  const asText = memberOf(body, 'encoding_format') === 'base64'
  const data = inputsOf(body).map((input, index) => {
    const vector = embeddingOf(typeof input === 'string' ? input : JSON.stringify(input), dimensions)
    return { object: 'embedding', index, embedding: asText ? base64OfFloats(vector) : vector }
  })
  const usage = { prompt_tokens: TOKENS.input, total_tokens: TOKENS.input }
  const reply = jsonReply({ object: 'list', data, model: context.model, usage })
  return { ...reply, headers: { ...reply.headers, ...openaiHeaders(context) } }
}

/** One text, many texts, one token array or many. */
function inputsOf(body: JsonMap): readonly unknown[] {
  const input = memberOf(body, 'input')
  if (!Array.isArray(input)) return [input]
  return input.length > 0 && input.every((item) => typeof item === 'number') ? [input] : input
}

function isInput(item: unknown): boolean {
  return (
    typeof item === 'string' ||
    (Array.isArray(item) && item.length > 0 && item.every((token) => typeof token === 'number'))
  )
}

/** Little-endian float32. */
function base64OfFloats(vector: readonly number[]): string {
  const buffer = Buffer.alloc(vector.length * 4)
  for (const [index, value] of vector.entries()) buffer.writeFloatLE(value, index * 4)
  return buffer.toString('base64')
}

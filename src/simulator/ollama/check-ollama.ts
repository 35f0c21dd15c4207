import { type CallContext, firstRefusal, type Refusal, refusalOfEach } from '../call-context.ts'
import { isMap, type JsonMap, listOf, mapOf, memberOf } from '../json-value.ts'

const THINKING_MODEL = /qwen3|gpt-oss|deepseek-r1|magistral|think/

export function supportsThinking(model: string): boolean {
  return THINKING_MODEL.test(model)
}

/** What `/api/chat` refuses; the texts are Go's: https://github.com/ollama/ollama/blob/main/api/types.go */
export function checkOllamaChat(body: JsonMap, context: CallContext): Refusal | undefined {
  return firstRefusal(
    () => refusalOfEach(listOf(body, 'messages'), checkMessage),
    () => checkOptions(body, context, 'ChatRequest'),
    () =>
      refusalOfEach(listOf(body, 'tools'), (tool) =>
        typeof mapOf(tool, 'function')['name'] === 'string' ? undefined : { message: 'tool function name is required' },
      ),
  )
}

export function checkOllamaGenerate(body: JsonMap, context: CallContext): Refusal | undefined {
  const prompt = memberOf(body, 'prompt')
  return firstRefusal(
    () =>
      prompt === undefined || typeof prompt === 'string'
        ? undefined
        : unmarshal(prompt, 'GenerateRequest.prompt', 'string'),
    () => checkImages(body),
    () => checkOptions(body, context, 'GenerateRequest'),
  )
}

export function checkOllamaEmbed(body: JsonMap): Refusal | undefined {
  const input = memberOf(body, 'input')
  const texts = Array.isArray(input) ? input : [input]
  return texts.every((text) => typeof text === 'string') ? undefined : { message: 'invalid input type' }
}

export function checkOllamaEmbeddings(body: JsonMap): Refusal | undefined {
  const prompt = memberOf(body, 'prompt')
  return typeof prompt === 'string' ? undefined : unmarshal(prompt, 'EmbeddingRequest.prompt', 'string')
}

function unmarshal(value: unknown, field: string, type: string): Refusal {
  return { message: `json: cannot unmarshal ${goKind(value)} into Go struct field ${field} of type ${type}` }
}

function goKind(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return isMap(value) ? 'object' : typeof value
}

function checkMessage(message: unknown): Refusal | undefined {
  const content = memberOf(message, 'content')
  if (content != null && typeof content !== 'string')
    return unmarshal(content, 'ChatRequest.messages.content', 'string')
  const calls = memberOf(message, 'tool_calls')
  return firstRefusal(
    () => (isMap(message) ? checkImages(message) : unmarshal(message, 'ChatRequest.messages', 'api.Message')),
    () =>
      refusalOfEach(Array.isArray(calls) ? calls : [], (call) => {
        const input = memberOf(mapOf(call, 'function'), 'arguments')
        return input == null || isMap(input)
          ? undefined
          : unmarshal(input, 'ChatRequest.messages.tool_calls.function.arguments', 'api.ToolCallFunctionArguments')
      }),
  )
}

function checkImages(holder: JsonMap): Refusal | undefined {
  return refusalOfEach(listOf(holder, 'images'), (image) => {
    const bad = typeof image === 'string' ? image.search(/[^A-Za-z0-9+/=]/) : 0
    return bad === -1 ? undefined : { message: `illegal base64 data at input byte ${bad}` }
  })
}

function checkOptions(body: JsonMap, context: CallContext, type: string): Refusal | undefined {
  const options = memberOf(body, 'options')
  if (options != null && !isMap(options)) return unmarshal(options, `${type}.options`, 'map[string]interface {}')
  const stream = memberOf(body, 'stream')
  if (stream != null && typeof stream !== 'boolean') return unmarshal(stream, `${type}.stream`, 'bool')
  const stop = mapOf(body, 'options')['stop']
  if (stop != null && !Array.isArray(stop)) return { message: 'option "stop" must be of type array' }
  const format = memberOf(body, 'format')
  if (format != null && format !== '' && format !== 'json' && !isMap(format)) {
    return { message: `invalid format: ${JSON.stringify(format)}; expected "json" or a valid JSON Schema object` }
  }
  const thinks = memberOf(body, 'think')
  const asked = thinks === true || typeof thinks === 'string'
  return asked && !supportsThinking(context.modelName)
    ? { message: `"${context.model}" does not support thinking` }
    : undefined
}

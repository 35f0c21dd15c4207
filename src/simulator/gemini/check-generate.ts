import { type CallContext, firstRefusal, type Refusal, refusalOfEach } from '../call-context.ts'
import { isMap, type JsonMap, memberOf, numberOf, textOf } from '../json-value.ts'
import { checkFunctionTurns } from './check-function-turns.ts'
import { checkGeminiSchema, unknownName } from './check-gemini-schema.ts'
import { protoList, protoMap, protoMember, toCamel } from './proto-json.ts'

const REQUEST_FIELDS =
  'contents systemInstruction tools toolConfig safetySettings generationConfig cachedContent labels model serviceTier store'.split(
    ' ',
  )
const CONFIG_FIELDS =
  `temperature topP topK candidateCount maxOutputTokens stopSequences seed presencePenalty frequencyPenalty responseLogprobs
  logprobs responseMimeType responseSchema responseJsonSchema responseModalities thinkingConfig speechConfig mediaResolution imageConfig
  enableEnhancedCivicAnswers routingConfig audioTimestamp`.split(/\s+/)
const PART_DATA =
  'text inlineData fileData functionCall functionResponse executableCode codeExecutionResult toolCall toolResponse'.split(
    ' ',
  )
const PART_FIELDS = [...PART_DATA, 'thought', 'thoughtSignature', 'videoMetadata', 'mediaResolution', 'partMetadata']

/** What `generateContent` refuses: https://ai.google.dev/api/generate-content */
export function checkGenerate(body: JsonMap, context: CallContext): Refusal | undefined {
  const contents = protoList(body, 'contents')
  const config = protoMap(body, 'generationConfig')
  return firstRefusal(
    () => checkFields(body, REQUEST_FIELDS, ''),
    () => checkFields(config, CONFIG_FIELDS, 'generation_config'),
    () =>
      contents.length === 0 ? { message: '* GenerateContentRequest.contents: contents is not specified\n' } : undefined,
    () => refusalOfEach(contents, checkContent),
    () => checkFunctionTurns(contents, context.modelName),
    () => refusalOfEach(protoList(body, 'tools'), checkTool),
    () => checkConfig(config),
    () => checkMix(body, config, context.modelName),
  )
}

export function checkGeminiCount(body: JsonMap, context: CallContext): Refusal | undefined {
  const inner = protoMember(body, 'generateContentRequest')
  return checkGenerate(isMap(inner) ? inner : body, context)
}

export function checkGeminiEmbed(body: JsonMap): Refusal | undefined {
  return protoList(protoMap(body, 'content'), 'parts').length === 0
    ? { message: '* EmbedContentRequest.content: contents is not specified\n' }
    : undefined
}

export function checkGeminiBatchEmbed(body: JsonMap, context: CallContext): Refusal | undefined {
  const requests = protoList(body, 'requests')
  if (requests.length === 0) return { message: '* BatchEmbedContentsRequest.requests: requests is not specified\n' }
  return refusalOfEach(requests, (request, index) => {
    const model = textOf(request, 'model')
    if (model !== `models/${context.model}`) {
      return {
        message: `* BatchEmbedContentsRequest.requests[${index}].model: model must be "models/${context.model}", got "${model ?? ''}"\n`,
      }
    }
    return isMap(request) ? checkGeminiEmbed(request) : { message: 'Invalid JSON payload received.' }
  })
}

function checkFields(value: JsonMap, known: readonly string[], at: string): Refusal | undefined {
  const unknown = Object.keys(value).find((name) => !known.includes(toCamel(name)))
  return unknown === undefined ? undefined : unknownName(unknown, at)
}

function checkContent(content: unknown, index: number): Refusal | undefined {
  const at = `contents[${index}]`
  const role = textOf(content, 'role')
  if (role !== undefined && !['user', 'model', 'function'].includes(role)) {
    return { message: 'Please use a valid role: user, model.' }
  }
  const parts = protoList(content, 'parts')
  if (parts.length === 0)
    return { message: `* GenerateContentRequest.${at}.parts: contents.parts must not be empty.\n` }
  return refusalOfEach(parts, (part, place) => checkGeminiPart(part, `${at}.parts[${place}]`))
}

function checkGeminiPart(part: unknown, at: string): Refusal | undefined {
  if (!isMap(part))
    return { message: `Invalid value at '${at}' (type.googleapis.com/google.ai.generativelanguage.v1beta.Part)` }
  const filled = PART_DATA.filter((name) => protoMember(part, name) !== undefined)
  const unknown = checkFields(part, PART_FIELDS, at)
  if (unknown !== undefined) return unknown
  if (filled.length === 0) {
    return {
      message: `* GenerateContentRequest.${at}.data: required oneof field 'data' must have one initialized field\n`,
    }
  }
  if (filled.length > 1)
    return { message: `Invalid value at '${at}' (oneof), oneof field 'data' is already set. Cannot set '${filled[1]}'` }
  return firstRefusal(
    () => checkStruct(protoMember(part, 'functionCall'), 'args', `${at}.function_call`),
    () => checkStruct(protoMember(part, 'functionResponse'), 'response', `${at}.function_response`),
    () => checkInline(protoMember(part, 'inlineData'), at),
  )
}

/** A call or its result: a name, and a JSON object. */
function checkStruct(value: unknown, field: string, at: string): Refusal | undefined {
  if (value === undefined) return undefined
  if ((textOf(value, 'name') ?? '') === '')
    return { message: `* GenerateContentRequest.${at}.name: Name cannot be empty.\n` }
  const struct = memberOf(value, field)
  const optional = field === 'args'
  if (isMap(struct) || (optional && struct === undefined)) return undefined
  return {
    message: `Invalid value at '${at}.${field}' (type.googleapis.com/google.protobuf.Struct), ${JSON.stringify(struct) ?? 'null'}`,
  }
}

function checkInline(data: unknown, at: string): Refusal | undefined {
  if (data === undefined) return undefined
  if (typeof protoMember(data, 'mimeType') !== 'string')
    return { message: `* GenerateContentRequest.${at}.inline_data.mime_type: must be set\n` }
  return /^[A-Za-z0-9+/_-]+={0,2}$/.test(textOf(data, 'data') ?? '')
    ? undefined
    : { message: `Invalid value at '${at}.inline_data.data' (TYPE_BYTES), Base64 decoding failed` }
}

function checkTool(tool: unknown, index: number): Refusal | undefined {
  return refusalOfEach(protoList(tool, 'functionDeclarations'), (declaration, place) => {
    const at = `tools[${index}].function_declarations[${place}]`
    const name = textOf(declaration, 'name') ?? ''
    if (!/^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$/.test(name)) {
      return {
        message: `* GenerateContentRequest.${at}.name: Invalid function name. Must start with a letter or an underscore. Must be alphanumeric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 64.\n`,
      }
    }
    const parameters = memberOf(declaration, 'parameters')
    if (parameters === undefined) return undefined
    if (protoMember(declaration, 'parametersJsonSchema') !== undefined) {
      return {
        message: `* GenerateContentRequest.${at}: parameters and parameters_json_schema are mutually exclusive.\n`,
      }
    }
    return checkGeminiSchema(parameters, `${at}.parameters`)
  })
}

function checkConfig(config: JsonMap): Refusal | undefined {
  const at = '* GenerateContentRequest.generation_config'
  const temperature = numberOf(config, 'temperature')
  if (temperature !== undefined && (temperature < 0 || temperature > 2))
    return { message: `${at}.temperature: temperature must be in the range [0.0, 2.0].\n` }
  if (protoList(config, 'stopSequences').length > 5)
    return { message: `${at}.stop_sequences: can have at most 5 stop sequences.\n` }
  const limit = protoMember(config, 'maxOutputTokens')
  if (limit !== undefined && (typeof limit !== 'number' || limit < 1)) {
    return { message: `${at}.max_output_tokens: max_output_tokens must be positive.\n` }
  }
  const thinking = protoMap(config, 'thinkingConfig')
  if (protoMember(thinking, 'thinkingBudget') !== undefined && protoMember(thinking, 'thinkingLevel') !== undefined) {
    return { message: 'You can only set one of thinking budget and thinking level.' }
  }
  const schema = protoMember(config, 'responseSchema')
  if (schema === undefined && protoMember(config, 'responseJsonSchema') === undefined) return undefined
  if (protoMember(config, 'responseMimeType') !== 'application/json') {
    return { message: `${at}.response_schema: only allowed for response_mime_type 'application/json'.\n` }
  }
  return schema === undefined ? undefined : checkGeminiSchema(schema, 'generation_config.response_schema')
}

/** Before Gemini 3 functions mix neither with JSON answers nor with built-in tools. */
function checkMix(body: JsonMap, config: JsonMap, model: string): Refusal | undefined {
  const tools = protoList(body, 'tools')
  const functions = tools.some((tool) => protoList(tool, 'functionDeclarations').length > 0)
  if (!functions || /^gemini-[3-9]/.test(model)) return undefined
  if (protoMember(config, 'responseMimeType') === 'application/json') {
    return { message: "Function calling with a response mime type: 'application/json' is unsupported" }
  }
  return tools.some((tool) => protoMember(tool, 'googleSearch') !== undefined)
    ? { message: 'Tool use with function calling is unsupported' }
    : undefined
}

import type { TargetModel } from '../format.ts'
import type { ChatRequest, JsonObject } from '../ir/chat-request.ts'
import type { DroppedParameters } from '../ir/dropped-parameters.ts'
import { objectSchema } from '../ir/object-schema.ts'
import { structuredSchema } from './structured-schema.ts'

/** How an answer in JSON is asked for. */
export interface AnswerFormat {
  /** For `output_config.format`. */
  readonly native: JsonObject | undefined
  /** A tool whose arguments are the answer. */
  readonly tool: JsonObject | undefined
  /** For the end of the system prompt. */
  readonly instruction: string | undefined
}

const PLAIN: AnswerFormat = { native: undefined, tool: undefined, instruction: undefined }
const JSON_OBJECT = 'Answer with one valid JSON object and nothing else: no text around it and no code fence.'

/**
 * Natively where the model can, else as a tool, else in words: the arguments of a tool are an object.
 * @see https://platform.claude.com/docs/en/build-with-claude/structured-outputs
 */
export function encodeFormat(
  { responseFormat, tools }: ChatRequest,
  { capabilities }: TargetModel,
  dropped: DroppedParameters,
): AnswerFormat {
  if (responseFormat === undefined || responseFormat.type === 'text') return PLAIN
  if (responseFormat.type === 'json') return { ...PLAIN, instruction: JSON_OBJECT }
  const schema = capabilities.jsonSchema === true ? structuredSchema(responseFormat.schema) : undefined
  if (schema !== undefined) return { ...PLAIN, native: { type: 'json_schema', schema } }
  const input = objectSchema(responseFormat.schema, () => dropped.add('response_format.schema'))
  if (input === undefined) return { ...PLAIN, instruction: schemaInstruction(responseFormat.schema) }
  const name = freeToolName(new Set(tools.map((tool) => tool.name)))
  const description = responseFormat.description ?? 'Gives the answer. Call it once, as the last step.'
  return {
    ...PLAIN,
    tool: { name, description, input_schema: input },
    instruction: `Give the answer by calling the tool \`${name}\`.`,
  }
}

function schemaInstruction(schema: JsonObject): string {
  const request =
    'Answer with JSON that follows this JSON schema and nothing else: no text around it and no code fence.'
  return `${request}\n${JSON.stringify(schema)}`
}

function freeToolName(taken: ReadonlySet<string>): string {
  let name = 'json'
  for (let count = 2; taken.has(name); count += 1) name = `json_${count}`
  return name
}

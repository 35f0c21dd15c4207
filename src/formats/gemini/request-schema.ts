import { z } from 'zod'
import { jsonObject } from '../ir/json-fields.ts'
import { oneOrMany, protoMessage, protoNumber } from './camel-case.ts'

const blob = protoMessage({
  mimeType: z.string(),
  data: z.string(),
  displayName: z.string().optional(),
})
const fileData = protoMessage({
  fileUri: z.string(),
  mimeType: z.string().optional(),
  displayName: z.string().optional(),
})

const part = z.preprocess(
  (value) => (typeof value === 'string' ? { text: value } : value),
  protoMessage({
    text: z.string().optional(),
    thought: z.boolean().optional(),
    thoughtSignature: z.string().optional(),
    inlineData: blob.optional(),
    fileData: fileData.optional(),
    functionCall: protoMessage({
      id: z.string().optional(),
      name: z.string(),
      args: jsonObject.optional(),
    }).optional(),
    functionResponse: protoMessage({
      id: z.string().optional(),
      name: z.string(),
      response: jsonObject.optional(),
      parts: oneOrMany(protoMessage({ inlineData: blob.optional(), fileData: fileData.optional() })).optional(),
    }).optional(),
    executableCode: protoMessage({ language: z.string().optional(), code: z.string() }).optional(),
    codeExecutionResult: protoMessage({ outcome: z.string().optional(), output: z.string().optional() }).optional(),
  }),
)

export const content = z.preprocess(
  (value) => (typeof value === 'string' ? { parts: [{ text: value }] } : value),
  protoMessage({
    role: z.enum(['user', 'model', 'system', 'function', 'tool', 'assistant', '']).optional(),
    parts: oneOrMany(part).optional(),
  }),
)

const functionDeclaration = protoMessage({
  name: z.string(),
  description: z.string().optional(),
  parameters: jsonObject.optional(),
  parametersJsonSchema: jsonObject.optional(),
})

const tool = protoMessage({ functionDeclarations: oneOrMany(functionDeclaration).optional() })

const toolConfig = protoMessage({
  functionCallingConfig: protoMessage({
    mode: z.string().optional(),
    allowedFunctionNames: oneOrMany(z.string()).optional(),
  }).optional(),
})

const generationConfig = protoMessage({
  temperature: protoNumber.optional(),
  topP: protoNumber.optional(),
  topK: protoNumber.optional(),
  candidateCount: protoNumber.optional(),
  maxOutputTokens: protoNumber.optional(),
  stopSequences: oneOrMany(z.string()).optional(),
  seed: protoNumber.optional(),
  presencePenalty: protoNumber.optional(),
  frequencyPenalty: protoNumber.optional(),
  responseLogprobs: z.boolean().optional(),
  logprobs: protoNumber.optional(),
  responseMimeType: z.string().optional(),
  responseSchema: jsonObject.optional(),
  responseJsonSchema: jsonObject.optional(),
  _responseJsonSchema: jsonObject.optional(),
  responseModalities: oneOrMany(z.string()).optional(),
  thinkingConfig: protoMessage({
    includeThoughts: z.boolean().optional(),
    thinkingBudget: protoNumber.optional(),
    thinkingLevel: z.string().optional(),
  }).optional(),
})

/** Body of `generateContent` and `streamGenerateContent`. @see https://ai.google.dev/api/generate-content */
export const generateContentRequest = protoMessage({
  model: z.string().optional(),
  contents: oneOrMany(content),
  systemInstruction: content.optional(),
  tools: oneOrMany(tool).optional(),
  toolConfig: toolConfig.optional(),
  generationConfig: generationConfig.optional(),
  serviceTier: z.string().optional(),
  cachedContent: z.string().optional(),
})

export type GenerateContentRequest = z.output<typeof generateContentRequest>
export type GeminiContent = GenerateContentRequest['contents'][number]
export type GeminiPart = NonNullable<GeminiContent['parts']>[number]
export type GeminiToolConfig = z.output<typeof toolConfig>
export type GeminiGenerationConfig = z.output<typeof generationConfig>
export type GeminiTool = z.output<typeof tool>

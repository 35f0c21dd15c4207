import type { FamilyShapes, ModelEntry } from '../format.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import { encodeGoogleError } from './encode-google-error.ts'

/** Errors and model lists of the Gemini API. */
export const geminiShapes: FamilyShapes = {
  family: 'gemini',
  encodeError: encodeGoogleError,
  encodeModelList: (models) => ({ models: models.map(writeModel) }),
  encodeModel: writeModel,
}

/** @see https://ai.google.dev/api/models#Model */
function writeModel(model: ModelEntry): JsonObject {
  return {
    name: `models/${model.id}`,
    version: '1',
    displayName: model.displayName,
    ...(model.contextWindow === undefined ? {} : { inputTokenLimit: model.contextWindow }),
    ...(model.maxOutputTokens === undefined ? {} : { outputTokenLimit: model.maxOutputTokens }),
    supportedGenerationMethods: model.requestTypes.flatMap((type) => METHODS.get(type) ?? []),
    ...(model.capabilities.reasoning === undefined ? {} : { thinking: model.capabilities.reasoning }),
  }
}

const METHODS: ReadonlyMap<string, readonly string[]> = new Map([
  ['chat', ['generateContent', 'streamGenerateContent', 'countTokens']],
  ['embedding', ['embedContent', 'batchEmbedContents']],
])

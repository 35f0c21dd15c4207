import type { FamilyShapes, ModelEntry } from '../format.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import { encodeAnthropicError } from './encode-error.ts'

/** Errors and model lists of the Anthropic API: https://platform.claude.com/docs/en/api/models-list */
export const anthropicShapes: FamilyShapes = {
  family: 'anthropic',
  encodeError: encodeAnthropicError,
  encodeModelList: (models) => ({
    data: models.map(encodeModelInfo),
    has_more: false,
    first_id: models[0]?.id ?? null,
    last_id: models.at(-1)?.id ?? null,
  }),
  encodeModel: encodeModelInfo,
}

function encodeModelInfo(model: ModelEntry): JsonObject {
  return {
    type: 'model',
    id: model.id,
    display_name: model.displayName,
    created_at: new Date(model.createdAt * 1000).toISOString(),
    max_input_tokens: model.contextWindow ?? null,
    max_tokens: model.maxOutputTokens ?? null,
    capabilities: null,
    lifecycle: 'active',
  }
}

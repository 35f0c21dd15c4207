import type { ModelEntry } from '../format.ts'
import type { JsonObject } from '../ir/chat-request.ts'

/** @see https://platform.openai.com/docs/api-reference/models/object */
export function encodeModel(model: ModelEntry): JsonObject {
  return { id: model.id, object: 'model', created: model.createdAt, owned_by: model.ownedBy }
}

/** @see https://platform.openai.com/docs/api-reference/models/list */
export function encodeModelList(models: readonly ModelEntry[]): JsonObject {
  return { object: 'list', data: models.map(encodeModel) }
}

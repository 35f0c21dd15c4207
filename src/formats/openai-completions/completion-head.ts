import type { ClientContext } from '../format.ts'
import type { JsonObject } from '../ir/chat-request.ts'

interface Start {
  readonly id: string | undefined
  readonly createdAt: number | undefined
  readonly model: string | undefined
}

/** What stands at the top of a completion and of every chunk; an id of another format is replaced. */
export function completionHead({ id, createdAt, model }: Start, { request, now, newId }: ClientContext): JsonObject {
  return {
    id: id?.startsWith('cmpl-') === true ? id : `cmpl-${newId()}`,
    object: 'text_completion',
    created: createdAt ?? Math.floor(now / 1000),
    model: model ?? request.model,
  }
}

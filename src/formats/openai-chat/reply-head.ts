import type { ClientContext } from '../format.ts'

export interface ReplyHead {
  readonly id: string
  /** Unix time in seconds. */
  readonly created: number
  readonly model: string
}

/** What stands at the top of a reply and in every chunk of a stream; an id of another format is replaced. */
export function replyHead(
  start: {
    readonly id: string | undefined
    readonly createdAt: number | undefined
    readonly model: string | undefined
  },
  { request, now, newId }: ClientContext,
): ReplyHead {
  return {
    id: start.id?.startsWith('chatcmpl-') === true ? start.id : `chatcmpl-${newId()}`,
    created: start.createdAt ?? Math.floor(now / 1000),
    model: start.model ?? request.model,
  }
}

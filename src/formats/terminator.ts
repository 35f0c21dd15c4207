import type { ChatFormatName, Frame } from './format.ts'

/** What ends a good stream after its finish reason. Formats without an entry end with the finish itself or with the body. */
export interface Terminator {
  readonly text: string
  matches(frame: Frame): boolean
}

const DONE: Terminator = { text: 'data: [DONE]\n\n', matches: ({ data }) => data.trim() === '[DONE]' }

export const TERMINATORS: Partial<Readonly<Record<ChatFormatName, Terminator>>> = {
  'openai-chat': DONE,
  'openai-completions': DONE,
  anthropic: {
    text: 'event: message_stop\ndata: {"type":"message_stop"}\n\n',
    matches: ({ event, data }) => event === 'message_stop' || data.includes('"message_stop"'),
  },
}

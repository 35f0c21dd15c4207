import type { FinishReason } from '../ir/chat-event.ts'

const FROM_ANTHROPIC: ReadonlyMap<string, FinishReason> = new Map<string, FinishReason>([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop-sequence'],
  ['max_tokens', 'length'],
  ['compaction', 'length'],
  ['tool_use', 'tool-calls'],
  ['refusal', 'content-filter'],
  ['pause_turn', 'pause'],
  ['model_context_window_exceeded', 'context-window'],
])

const TO_ANTHROPIC: Readonly<Record<FinishReason, string>> = {
  stop: 'end_turn',
  'stop-sequence': 'stop_sequence',
  length: 'max_tokens',
  'tool-calls': 'tool_use',
  'content-filter': 'refusal',
  pause: 'pause_turn',
  'context-window': 'model_context_window_exceeded',
}

/** @see https://platform.claude.com/docs/en/api/handling-stop-reasons A reason not known yet counts as a plain stop. */
export function decodeStopReason(reason: string): FinishReason {
  return FROM_ANTHROPIC.get(reason) ?? 'stop'
}

export function encodeStopReason(reason: FinishReason): string {
  return TO_ANTHROPIC[reason]
}

import type { TextPart, Turn } from './chat-request.ts'

/** Whether a message says "json": OpenAI and its imitators refuse their JSON mode without the word. @see https://platform.openai.com/docs/guides/structured-outputs#json-mode */
export function mentionsJson(system: readonly TextPart[], turns: readonly Turn[]): boolean {
  const texts = turns.flatMap((turn): readonly object[] =>
    turn.role === 'tool' ? turn.results.flatMap((result) => result.parts) : turn.parts,
  )
  return [...system, ...texts].some(
    (part) => 'text' in part && typeof part.text === 'string' && /json/i.test(part.text),
  )
}

import type { ReplyChoice } from '../ir/chat-event.ts'

interface ReplyTexts {
  readonly text: string
  readonly thinking: string | undefined
  /** base64 */
  readonly images: string[] | undefined
}

/** The parts of a reply gathered by kind: Ollama has one text, one thinking text and a list of images. */
export function replyTexts(choice: ReplyChoice | undefined): ReplyTexts {
  const texts: string[] = []
  const thoughts: string[] = []
  const images: string[] = []
  let refused = false
  for (const part of choice?.parts ?? []) {
    if (part.type === 'text') texts.push(part.text)
    else if (part.type === 'thinking') thoughts.push(part.text)
    else if (part.type === 'image') images.push(part.data)
    else if (part.type === 'refusal') {
      refused = true
      texts.push(part.text)
    }
  }
  const explanation = choice?.finish?.reason === 'content-filter' && !refused ? choice.finish.explanation : undefined
  if (explanation !== undefined) texts.push(explanation)
  const thinking = thoughts.join('')
  return {
    text: texts.join(''),
    thinking: thinking === '' ? undefined : thinking,
    images: images.length > 0 ? images : undefined,
  }
}

import type { ReplyChoice } from '../ir/chat-event.ts'

interface ReplyTexts {
  readonly text: string
  readonly thinking: string | undefined
  /** base64 */
  readonly images: string[] | undefined
}

/**
 * The parts of a reply gathered by kind: Ollama has one text, one thinking text and a list of images. Why a reply was filtered stands
 * in the text only where there is no other, for it would read as a part of the answer.
 */
export function replyTexts(choice: ReplyChoice | undefined): ReplyTexts {
  const texts: string[] = []
  const thoughts: string[] = []
  const images: string[] = []
  for (const part of choice?.parts ?? []) {
    if (part.type === 'text') texts.push(part.text)
    else if (part.type === 'thinking') thoughts.push(part.text)
    else if (part.type === 'image') images.push(part.data)
    else if (part.type === 'refusal') texts.push(part.text)
  }
  const text = texts.join('')
  const explanation = choice?.finish?.reason === 'content-filter' ? choice.finish.explanation : undefined
  const thinking = thoughts.join('')
  return {
    text: text === '' ? (explanation ?? '') : text,
    thinking: thinking === '' ? undefined : thinking,
    images: images.length > 0 ? images : undefined,
  }
}

/** A vector that depends only on the text: multiples of 1/64, exact as float32 and as JSON. */
export function embeddingOf(text: string, dimensions: number): readonly number[] {
  let sum = 0
  for (const character of text) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 9973
  return Array.from({ length: dimensions }, (_, index) => (((sum + index * 37) % 127) - 63) / 64)
}

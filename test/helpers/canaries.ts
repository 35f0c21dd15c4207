/** A secret that exists in one place only: wherever one of its forms shows up, that place has leaked. */
export interface Canary {
  readonly name: string
  readonly value: string
}

/** Distinct, long enough not to occur by chance, and of characters that headers and query strings can carry. */
export function plainCanary(name: string): Canary {
  return { name, value: `KANARI-${name}-8f3a91c7e5d24b60` }
}

/** Every form in which a careless line could show a secret. */
function formsOf({ value }: Canary): readonly string[] {
  const bytes = Buffer.from(value)
  return [
    value,
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value),
    bytes.toString('hex'),
    ...[0, 1, 2].map((shift) => base64Core(bytes, shift, 'base64')),
    ...[0, 1, 2].map((shift) => base64Core(bytes, shift, 'base64url')),
  ]
}

/** The part of the base64 form that does not depend on what stands before and after. */
function base64Core(bytes: Buffer, shift: number, encoding: 'base64' | 'base64url'): string {
  const text = Buffer.concat([Buffer.alloc(shift), bytes])
    .toString(encoding)
    .replaceAll('=', '')
  return text.slice(shift === 0 ? 0 : 4, -4)
}

/** `name in place` for every canary that a text shows in any form. */
export function leaksIn(place: string, text: string, canaries: readonly Canary[]): string[] {
  return canaries
    .filter((each) => formsOf(each).some((form) => text.includes(form)))
    .map(({ name }) => `${name} in ${place}`)
}

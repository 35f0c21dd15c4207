import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Places } from './places.ts'

export type BodyName = 'small' | 'large' | 'small-stream'

const BYTES: Readonly<Record<BodyName, number>> = { small: 1024, large: 102_400, 'small-stream': 1024 }
const MAX_MESSAGE_CHARACTERS = 4000
/** What a message costs beside its text: `{"role":"assistant","content":""},`. */
const MESSAGE_OVERHEAD_BYTES = 45

/** Escapes, quotes, line ends and characters of two to three bytes, as real prompts have them. */
const TEXT =
  `The gateway receives a chat completion request, finds the routing profile by the name of the model, picks a
healthy account of the provider group and forwards the "body" as it came.
Naïve café – ünïcode ✓. `.repeat(40)

/** Writes one request body and returns its file. */
export function writeBody(places: Places, name: BodyName, model: string): string {
  const folder = join(places.run, 'bodies', model.replaceAll(/\W+/g, '_'))
  const file = join(folder, `${name}.json`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(file, JSON.stringify(conversation(model, name)))
  return file
}

/** A conversation of many turns that, as JSON, has about the wanted size and ends with the user's turn. */
function conversation(model: string, name: BodyName): object {
  const messages = [{ role: 'system', content: 'You are a helpful assistant.' }]
  const stream = name === 'small-stream' ? { stream: true } : {}
  const request = { model, messages, temperature: 0.7, max_tokens: 256, ...stream }
  for (;;) {
    const room = BYTES[name] - Buffer.byteLength(JSON.stringify(request)) - MESSAGE_OVERHEAD_BYTES
    if (room < 15) break
    const role = messages.length % 2 === 1 ? 'user' : 'assistant'
    messages.push({ role, content: TEXT.slice(0, Math.min(room, MAX_MESSAGE_CHARACTERS)) })
  }
  const last = messages.at(-1)
  if (last) last.role = 'user'
  return request
}

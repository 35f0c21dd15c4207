import t from 'tap'
import type { ChatFormatName } from '#formats/format.ts'
import { startSimulator } from '#simulator/simulator.ts'
import { CLIENTS } from './clients.ts'
import { startRelay } from './relay.ts'

const VARIANTS = [
  'cr',
  'crlf',
  'bom',
  'comments',
  'multi-line',
  'long-line',
  'no-last-blank',
  'after-end',
  'unknown-event',
  'no-space',
]
const GREETINGS = {
  'openai-chat': 'Hello from openai gpt-4o.',
  'openai-responses': 'Hello from openai gpt-4.1.',
  anthropic: 'Hello from anthropic claude-sonnet-4-0.',
  gemini: 'Hello from gemini gemini-3-pro.',
}
const QUESTION = { prompt: 'hi', tools: false, thinking: false, json: false }

for (const [target, text] of Object.entries(GREETINGS)) {
  t.test(`R3.4 a stream of ${target} is read in every legal spelling of SSE`, async (t) => {
    const simulator = await startSimulator()
    t.teardown(() => simulator.close())
    const url = `${await startRelay(t, simulator.url)}/${target}`
    for (const variant of VARIANTS) {
      // The keys of the record.
      for (const client of Object.keys(CLIENTS) as ChatFormatName[]) {
        const seen = await CLIENTS[client].stream(url, { ...QUESTION, model: `alias--sse-${variant}` })
        t.equal(seen.text, text, `${target} → ${client}: ${variant}`)
        t.match(seen.finish, /^(stop|completed|end_turn|STOP)$/, `${target} → ${client}: ${variant} is finished`)
      }
    }
  })
}

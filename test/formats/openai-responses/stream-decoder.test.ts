import t from 'tap'
import type { ReplyContext } from '#formats/format.ts'
import type { JsonObject } from '#formats/ir/chat-request.ts'
import { openaiResponses } from '#formats/openai-responses/openai-responses.ts'
import { golden } from '../../helpers/golden.ts'

const CONTEXT: ReplyContext = {
  issuer: 'openai',
  toolNames: new Map([['get_weather_', 'get weather!']]),
  jsonTool: undefined,
}

t.test('R3.5 streams become events; calls are told apart whatever a server does to their ids and indexes', (t) => {
  golden(t, new URL('streams/', import.meta.url), 'events', (input) => {
    const decoder = openaiResponses.streamDecoder(CONTEXT)
    // Golden inputs are lists of events.
    const events = (input as JsonObject[]).flatMap((event) => decoder.push({ data: JSON.stringify(event) }))
    return [...events, ...decoder.end()]
  })
  t.end()
})

t.test('R3.5 replies become the same events', (t) => {
  golden(t, new URL('replies/', import.meta.url), 'events', (input) =>
    // Golden inputs are JSON objects.
    openaiResponses.decodeReply(input as JsonObject, CONTEXT),
  )
  t.end()
})

t.test('R3.5 a stream that ends without its terminal event ends open calls and makes up no finish', (t) => {
  const decoder = openaiResponses.streamDecoder(CONTEXT)
  const item = { id: 'fc_1', type: 'function_call', call_id: 'call_1', name: 'f', arguments: '' }
  decoder.push({ data: JSON.stringify({ type: 'response.output_item.added', output_index: 0, item }) })
  t.same(decoder.end(), [{ type: 'tool-call-end', choice: 0, index: 0 }])
  t.end()
})

t.test('R3.5 a broken event is an error, an empty one and [DONE] are nothing', (t) => {
  const decoder = openaiResponses.streamDecoder(CONTEXT)
  for (const data of ['{"type":"response.outp', '[1]', '"text"', '{"type":"response.output_text.delta"}']) {
    t.throws(() => decoder.push({ data }), { code: 'KP-PROV-109' }, data)
  }
  t.same(decoder.push({ data: '' }), [])
  t.same(decoder.push({ data: '[DONE]' }), [])
  t.throws(() => openaiResponses.decodeReply({ choices: [] }, CONTEXT), { code: 'KP-PROV-109' })
  t.end()
})

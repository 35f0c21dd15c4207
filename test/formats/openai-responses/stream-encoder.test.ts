import t from 'tap'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { ClientContext } from '#formats/format.ts'
import type { ChatEvent, FinishReason } from '#formats/ir/chat-event.ts'
import type { JsonObject } from '#formats/ir/chat-request.ts'
import { collectReply } from '#formats/ir/collect-reply.ts'
import { openaiResponses } from '#formats/openai-responses/openai-responses.ts'
import { golden } from '../../helpers/golden.ts'

interface Case {
  readonly request: JsonObject
  readonly events: readonly ChatEvent[]
}

function contextOf(request: JsonObject): ClientContext {
  return {
    request: openaiResponses.decodeRequest(request, {}),
    now: 1_700_000_000_500,
    newId: () => 'id1',
    estimatedInputTokens: 3,
  }
}

/** The events on the wire, checked for framing: name and data agree, and the data is one line. */
function readFrames(t: Tap, text: string): JsonObject[] {
  return text
    .split('\n\n')
    .filter((frame) => frame !== '')
    .map((frame) => {
      const [event = '', data = '', ...more] = frame.split('\n')
      t.same(more, [])
      const parsed: JsonObject = JSON.parse(data.replace(/^data: /, ''))
      t.equal(event, `event: ${String(parsed['type'])}`)
      return parsed
    })
}
type Tap = Pick<typeof t, 'same' | 'equal'>

function encode({ request, events }: Case): string {
  const encoder = openaiResponses.streamEncoder(contextOf(request))
  return events.map((event) => encoder.push(event)).join('') + encoder.end()
}

t.test('R3.5 events become a stream in the order that Codex and the SDKs expect', (t) => {
  // Golden inputs hold a request and events.
  golden(t, new URL('events/', import.meta.url), 'frames', (input) => readFrames(t, encode(input as Case)))
  t.end()
})

t.test('R3.4 the same events, collected, become a reply', (t) => {
  golden(t, new URL('events/', import.meta.url), 'reply', (input) => {
    // Golden inputs hold a request and events.
    const { request, events } = input as Case
    return openaiResponses.encodeReply(collectReply(events), contextOf(request))
  })
  t.end()
})

const FAILURE = {
  error: new KorProxyError('KP-PROV-111', { account: 'a', reason: 'reset' }),
  correlationId: 'c-1',
  docsUrl: 'https://example.com/KP-PROV-111',
}
const FAILED = {
  code: 'server_error',
  message: 'The stream from the provider of account a broke off: reset. (KP-PROV-111, c-1)',
}

t.test('R8.4 a stream that fails before its first event still begins with response.created', (t) => {
  const encoder = openaiResponses.streamEncoder(contextOf({ model: 'm', input: 'x' }))
  const frames = readFrames(t, encoder.fail(FAILURE))
  t.same(
    frames.map((frame) => [frame['type'], frame['sequence_number']]),
    [
      ['response.created', 0],
      ['response.in_progress', 1],
      ['response.failed', 2],
    ],
  )
  t.match(frames[2], { response: { status: 'failed', error: FAILED, output: [] } })
  t.end()
})

t.test('R8.4 a stream that breaks off ends in response.failed, never in response.completed', (t) => {
  const encoder = openaiResponses.streamEncoder(contextOf({ model: 'm', input: 'x' }))
  encoder.push({ type: 'text-delta', choice: 0, text: 'Once' })
  const frames = readFrames(t, encoder.fail(FAILURE))
  t.same(
    frames.map((frame) => frame['type']),
    ['response.failed'],
  )
  t.match(frames[0], { sequence_number: 5, response: { error: FAILED } })
  t.end()
})

t.test('R8.4 an end without a finish reason is a failure too', (t) => {
  const encoder = openaiResponses.streamEncoder(contextOf({ model: 'm', input: 'x' }))
  encoder.push({ type: 'text-delta', choice: 0, text: 'Once' })
  t.match(readFrames(t, encoder.end()), [{ type: 'response.failed', response: { status: 'failed' } }])
  t.end()
})

t.test('R8.4 codes that tell Codex not to try again are used where trying again is no use', (t) => {
  const code = (error: KorProxyError) => {
    const encoder = openaiResponses.streamEncoder(contextOf({ model: 'm', input: 'x' }))
    return /"error":\{"code":"(\w+)"/.exec(encoder.fail({ ...FAILURE, error }))?.[1]
  }
  t.equal(code(new KorProxyError('KP-PROV-108', { group: 'g' })), 'insufficient_quota')
  t.equal(code(new KorProxyError('KP-PROV-105', { message: 'x' })), 'context_length_exceeded')
  t.equal(code(new KorProxyError('KP-PROV-107', { account: 'a' })), 'server_is_overloaded')
  t.equal(code(new KorProxyError('KP-PROV-110', { seconds: 1 })), 'rate_limit_exceeded')
  t.end()
})

t.test('peer bug litellm#21331: parallel calls have distinct output_index, and item ids stay the same', (t) => {
  const events: ChatEvent[] = [0, 1, 2].flatMap((index): ChatEvent[] => [
    { type: 'tool-call-start', choice: 0, index, id: `call_${index}`, name: 'f' },
    { type: 'tool-call-delta', choice: 0, index, arguments: `{"n":${index}}` },
  ])
  const request = { model: 'm', input: 'x', tools: [{ type: 'function', name: 'f' }] }
  const frames = readFrames(
    t,
    encode({ request, events: [...events, { type: 'finish', choice: 0, reason: 'tool-calls' }] }),
  )
  const deltas = frames.filter((frame) => frame['type'] === 'response.function_call_arguments.delta')
  t.same(
    deltas.map((frame) => [frame['output_index'], frame['item_id'], frame['delta']]),
    [
      [0, 'fc_id1_0', '{"n":0}'],
      [1, 'fc_id1_1', '{"n":1}'],
      [2, 'fc_id1_2', '{"n":2}'],
    ],
  )
  t.end()
})

const TOOLS: readonly JsonObject[] = [
  { type: 'custom', name: 'apply_patch' },
  { type: 'function', name: 'exec' },
]

type Called = readonly (readonly [name: string, text: string])[]

/** Status and text of the calls of an answer, in each place where clients read them: done items, the last event, the reply at once. */
function writtenCalls(t: Tap, calls: Called, reason: FinishReason): unknown[][] {
  const request = { model: 'm', input: 'x', tools: TOOLS }
  const parts = calls.flatMap(([name, text], index): ChatEvent[] => [
    { type: 'tool-call-start', choice: 0, index, id: `call_${index}`, name },
    { type: 'tool-call-delta', choice: 0, index, arguments: text },
    { type: 'tool-call-end', choice: 0, index },
  ])
  const events: ChatEvent[] = [...parts, { type: 'finish', choice: 0, reason }]
  const frames = readFrames(t, encode({ request, events }))
  const done = frames.filter((frame) => frame['type'] === 'response.output_item.done').map((frame) => frame['item'])
  const last = frames.at(-1)?.['response']
  const reply = openaiResponses.encodeReply(collectReply(events), contextOf(request))
  // Events and objects of this format, as just written.
  const lists = [done, (last as JsonObject)['output'], reply['output']] as JsonObject[][]
  return lists.map((items) =>
    items
      .filter((item) => item['type'] !== 'message')
      .map((item) => [item['status'], item['input'] ?? item['arguments']]),
  )
}

t.test('R3.4 a call that the token limit cut off is incomplete, and half a patch is no patch', (t) => {
  const patch: Called = [['apply_patch', '{"input":"*** Begin Patch\\n*** Delete File: a']]
  for (const written of writtenCalls(t, patch, 'length')) t.same(written, [['incomplete', '']])
  t.end()
})

t.test('R3.4 of several calls only the one that was cut off is incomplete', (t) => {
  const calls: Called = [
    ['exec', '{"cmd":"ls"}'],
    ['apply_patch', '{"input":"+x"}'],
    ['exec', '{"cmd":"rm -rf /tm'],
  ]
  for (const reason of ['length', 'context-window', 'content-filter'] as const) {
    for (const written of writtenCalls(t, calls, reason)) {
      t.same(
        written,
        [
          ['completed', '{"cmd":"ls"}'],
          ['completed', '+x'],
          ['incomplete', '{"cmd":"rm -rf /tm'],
        ],
        reason,
      )
    }
  }
  t.end()
})

t.test('R3.4 words of the provider after a call that it cut off do not complete the call', (t) => {
  const events: ChatEvent[] = [
    { type: 'tool-call-start', choice: 0, index: 0, id: 'call_0', name: 'exec' },
    { type: 'tool-call-delta', choice: 0, index: 0, arguments: '{"cmd":"rm -rf /tm' },
    { type: 'tool-call-end', choice: 0, index: 0 },
    { type: 'finish', choice: 0, reason: 'content-filter', explanation: 'Blocked.' },
  ]
  const request = { model: 'm', input: 'x', tools: TOOLS }
  const expected = [
    { type: 'function_call', status: 'incomplete' },
    { type: 'message', status: 'incomplete' },
  ]
  t.match(openaiResponses.encodeReply(collectReply(events), contextOf(request))['output'], expected)
  t.match(readFrames(t, encode({ request, events })).at(-1), { response: { output: expected } })
  t.end()
})

t.test('R3.4 a call cut off before its arguments began is not one without arguments', (t) => {
  for (const written of writtenCalls(t, [['exec', '']], 'length')) t.same(written, [['incomplete', '']])
  for (const written of writtenCalls(t, [['exec', '']], 'tool-calls')) t.same(written, [['completed', '{}']])
  t.end()
})

t.test('R3.4 arguments that are no JSON object are the model’s own where the reply ended well', (t) => {
  const calls: Called = [
    ['apply_patch', '*** Begin Patch'],
    ['exec', '["ls"]'],
    ['exec', 'ls'],
  ]
  for (const reason of ['tool-calls', 'stop', 'stop-sequence'] as const) {
    for (const written of writtenCalls(t, calls, reason)) {
      t.same(
        written,
        calls.map(([, text]) => ['completed', text]),
        reason,
      )
    }
  }
  t.end()
})

t.test('R8.4 a call that was open when the stream broke off is not done', (t) => {
  const encoder = openaiResponses.streamEncoder(contextOf({ model: 'm', input: 'x', tools: TOOLS }))
  const written = [
    encoder.push({ type: 'tool-call-start', choice: 0, index: 0, id: 'c', name: 'exec' }),
    encoder.push({ type: 'tool-call-delta', choice: 0, index: 0, arguments: '{"cmd":"rm -rf /tm' }),
    encoder.push({ type: 'tool-call-end', choice: 0, index: 0 }),
    encoder.fail(FAILURE),
  ].join('')
  const frames = readFrames(t, written)
  t.notOk(frames.some((frame) => frame['type'] === 'response.output_item.done'))
  t.match(frames.at(-1), { type: 'response.failed', response: { output: [] } })
  t.end()
})

t.test('R3.5 the heartbeat is a comment', (t) => {
  t.equal(openaiResponses.heartbeat, ': kp\n\n')
  t.end()
})

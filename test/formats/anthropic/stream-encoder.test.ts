import fc from 'fast-check'
import t from 'tap'
import { KorProxyError } from '#errors/korproxy-error.ts'
import { anthropic } from '#formats/anthropic/anthropic.ts'
import type { ChatEvent } from '#formats/ir/chat-event.ts'
import { clientContext } from './fixtures.ts'

const START: ChatEvent = { type: 'start', id: 'chatcmpl-1', model: 'gpt-test', createdAt: undefined }
const text = (value: string): ChatEvent => ({ type: 'text-delta', choice: 0, text: value })
const think = (value: string): ChatEvent => ({ type: 'thinking-delta', choice: 0, text: value })
const call = (index: number, id: string, name = 'f'): ChatEvent => ({
  type: 'tool-call-start',
  choice: 0,
  index,
  id,
  name,
})
const args = (index: number, value: string): ChatEvent => ({
  type: 'tool-call-delta',
  choice: 0,
  index,
  arguments: value,
})
const endCall = (index: number): ChatEvent => ({ type: 'tool-call-end', choice: 0, index })
const finish = (reason: Extract<ChatEvent, { type: 'finish' }>['reason']): ChatEvent => ({
  type: 'finish',
  choice: 0,
  reason,
})

function encode(events: readonly ChatEvent[]): string {
  const encoder = anthropic.streamEncoder(clientContext())
  return events.map((event) => encoder.push(event)).join('') + encoder.end()
}

interface WireEvent {
  readonly type: string
  readonly index?: number
  readonly content_block?: { readonly type: string; readonly id?: string }
  readonly delta?: Readonly<Record<string, unknown>>
  readonly usage?: Readonly<Record<string, unknown>>
}

function wire(events: readonly ChatEvent[]): WireEvent[] {
  return encode(events)
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => {
      const [, name, data = ''] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? []
      // Written by the encoder under test.
      const event = JSON.parse(data) as WireEvent
      if (event.type !== name) throw new Error(`event: ${name} of type ${event.type}`)
      return event
    })
}

t.test('R3.3 a text reply', (t) => {
  const usage: ChatEvent = {
    type: 'usage',
    usage: { input: 100, cachedInput: 60, cacheWriteInput: 10, output: 7, reasoning: 2 },
  }
  t.equal(
    encode([START, text('Hel'), text(''), text('lo'), finish('stop'), usage]),
    `event: message_start
data: {"type":"message_start","message":{"id":"msg_new1","type":"message","role":"assistant","model":"gpt-test","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":42,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hel"}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"lo"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"input_tokens":30,"cache_creation_input_tokens":10,"cache_read_input_tokens":60,"output_tokens":7,"output_tokens_details":{"thinking_tokens":2}}}

event: message_stop
data: {"type":"message_stop"}

`,
  )
  t.end()
})

t.test('R3.3 thinking with its signature is closed before the text, tools follow', (t) => {
  const events = wire([
    START,
    think('Hm.'),
    { type: 'thinking-signature', choice: 0, signature: { issuer: 'openai', value: 'gAAA' } },
    { type: 'redacted-thinking', choice: 0, data: { issuer: 'anthropic', value: 'ZW5j' } },
    text('Answer.'),
    { ...call(0, 'call_1'), signature: { issuer: 'gemini', value: 'Q2FsbA==' } } as ChatEvent,
    args(0, '{"x":1}'),
    endCall(0),
    finish('stop'),
  ])
  t.strictSame(events.slice(1), [
    { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'Hm.' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'kp1.openai.gAAA' } },
    { type: 'content_block_stop', index: 0 },
    { type: 'content_block_start', index: 1, content_block: { type: 'redacted_thinking', data: 'ZW5j' } },
    { type: 'content_block_stop', index: 1 },
    { type: 'content_block_start', index: 2, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 2, delta: { type: 'text_delta', text: 'Answer.' } },
    { type: 'content_block_stop', index: 2 },
    { type: 'content_block_start', index: 3, content_block: { type: 'thinking', thinking: '', signature: '' } },
    {
      type: 'content_block_delta',
      index: 3,
      delta: { type: 'signature_delta', signature: 'kp1call:kp1.gemini.Q2FsbA==' },
    },
    { type: 'content_block_stop', index: 3 },
    {
      type: 'content_block_start',
      index: 4,
      content_block: { type: 'tool_use', id: 'call_1', name: 'f', input: {} },
    },
    { type: 'content_block_delta', index: 4, delta: { type: 'input_json_delta', partial_json: '{"x":1}' } },
    { type: 'content_block_stop', index: 4 },
    {
      type: 'message_delta',
      delta: { stop_reason: 'tool_use', stop_sequence: null },
      usage: { input_tokens: 42, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 5 },
    },
    { type: 'message_stop' },
  ])
  t.end()
})

t.test('arguments of another call wait until the open block is closed', (t) => {
  const encoder = anthropic.streamEncoder(clientContext())
  encoder.push(START)
  t.match(encoder.push(call(0, 'a')), /content_block_start/)
  t.equal(encoder.push(call(1, 'b')), '')
  t.equal(encoder.push(args(1, '{"b"')), '')
  t.match(encoder.push(args(0, '{}')), /"index":0.*\{\}/)
  t.equal(encoder.push(args(1, ':1}')), '')
  t.match(encoder.push(endCall(0)), /"content_block_stop","index":0[\s\S]*"index":1[\s\S]*\{\\"b\\"[\s\S]*:1\}/)
  t.end()
})

t.test('a text that comes while a call is open waits too, and loses nothing', (t) => {
  const events = wire([START, call(0, 'a'), args(0, '{"x"'), text('meanwhile'), args(0, ':1}'), endCall(0)])
  t.strictSame(
    events.filter(({ type }) => type === 'content_block_delta').map(({ index, delta }) => [index, delta]),
    [
      [0, { type: 'input_json_delta', partial_json: '{"x"' }],
      [0, { type: 'input_json_delta', partial_json: ':1}' }],
      [1, { type: 'text_delta', text: 'meanwhile' }],
    ],
  )
  t.end()
})

/** The next event of each call in the given order, with a text after those marked. */
function interleave(calls: readonly string[][], order: readonly number[], texts: readonly boolean[]): ChatEvent[] {
  const rest = calls.map((fragments, index) => [
    call(index, `call_${index}`),
    ...fragments.map((fragment) => args(index, fragment)),
    endCall(index),
  ])
  return order.flatMap((index, step) => {
    const event = rest[index]?.shift()
    return event === undefined ? [] : [event, ...(texts[step] === true ? [text('t')] : [])]
  })
}

/** Content of the blocks; throws when they are not one after the other with dense indexes. */
function readBlocks(events: readonly WireEvent[]): { id: string | undefined; content: string }[] {
  const blocks: { id: string | undefined; content: string }[] = []
  let isOpen = false
  for (const { type, index, content_block: block, delta } of events) {
    if (!type.startsWith('content_block')) continue
    const starts = type === 'content_block_start'
    if (index !== blocks.length - (starts ? 0 : 1) || isOpen === starts) throw new Error(`${type} of ${index}`)
    if (starts) blocks.push({ id: block?.id, content: '' })
    isOpen = type !== 'content_block_stop'
    const last = blocks.at(-1)
    if (last !== undefined) last.content += String(delta?.['text'] ?? delta?.['partial_json'] ?? '')
  }
  if (isOpen) throw new Error('a block stays open')
  return blocks
}

t.test('R3.3 any interleaving of calls gives blocks one after the other, each with its own arguments', (t) => {
  const calls = fc.array(fc.array(fc.string({ maxLength: 4 }), { maxLength: 4 }), { minLength: 1, maxLength: 4 })
  const interleaving = calls.chain((fragments) => {
    const steps = fragments.flatMap((list, index) => [index, ...list.map(() => index), index])
    const all = { minLength: steps.length, maxLength: steps.length }
    return fc.tuple(fc.constant(fragments), fc.shuffledSubarray(steps, all), fc.array(fc.boolean(), all))
  })
  const property = fc.property(interleaving, ([fragments, order, texts]) => {
    const blocks = readBlocks(wire([START, ...interleave(fragments, order, texts), finish('tool-calls')]))
    const texted = blocks.filter(({ id }) => id === undefined).map(({ content }) => content)
    if (texted.join('').length !== texts.filter(Boolean).length) return false
    return fragments.every((list, at) => blocks.find(({ id }) => id === `call_${at}`)?.content === list.join(''))
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 200 }))
  t.end()
})

t.test('ids that Anthropic refuses and ids given twice are replaced', (t) => {
  const events = wire([START, call(0, 'call:0'), endCall(0), call(1, 'ok'), endCall(1), call(2, 'ok'), endCall(2)])
  t.strictSame(
    events.flatMap(({ content_block: block }) => (block === undefined ? [] : [block.id])),
    ['toolu_new2', 'ok', 'toolu_new3'],
  )
  t.end()
})

t.test('every finish reason has its stop_reason', (t) => {
  const reasons = [
    ['stop', 'end_turn'],
    ['stop-sequence', 'stop_sequence'],
    ['length', 'max_tokens'],
    ['tool-calls', 'tool_use'],
    ['content-filter', 'refusal'],
    ['pause', 'pause_turn'],
    ['context-window', 'model_context_window_exceeded'],
  ] as const
  for (const [reason, expected] of reasons) {
    t.equal(wire([START, finish(reason)]).at(-2)?.delta?.['stop_reason'], expected)
  }
  t.end()
})

t.test('a stop sequence and a refusal say what they are', (t) => {
  const stop: ChatEvent = { type: 'finish', choice: 0, reason: 'stop-sequence', stopSequence: 'END' }
  t.strictSame(wire([START, stop]).at(-2)?.delta, { stop_reason: 'stop_sequence', stop_sequence: 'END' })
  const refused: ChatEvent = { type: 'finish', choice: 0, reason: 'content-filter', explanation: 'Not this.' }
  t.strictSame(wire([START, refused]).at(-2)?.delta, {
    stop_reason: 'refusal',
    stop_sequence: null,
    stop_details: { type: 'refusal', category: null, explanation: 'Not this.' },
  })
  t.end()
})

t.test('a refusal in the reply is a refusal even when the server says stop', (t) => {
  const events = wire([START, { type: 'refusal-delta', choice: 0, text: 'I cannot.' }, finish('stop')])
  t.equal(events.at(-2)?.delta?.['stop_reason'], 'refusal')
  t.end()
})

t.test('a web source becomes a citation, an image a notice, other choices nothing', (t) => {
  const events = wire([
    START,
    text('Found.'),
    { type: 'citation', choice: 0, url: 'https://example.com', title: 'E', citedText: undefined },
    { type: 'citation', choice: 0, url: undefined, title: 'no url', citedText: undefined },
    { type: 'image', choice: 0, mediaType: 'image/png', data: 'aGk=' },
    { type: 'text-delta', choice: 1, text: 'other' },
    { type: 'logprobs', choice: 0, logprobs: {} },
    finish('stop'),
  ])
  t.strictSame(
    events.filter(({ type }) => type === 'content_block_delta').map(({ delta }) => delta),
    [
      { type: 'text_delta', text: 'Found.' },
      {
        type: 'citations_delta',
        citation: {
          type: 'web_search_result_location',
          url: 'https://example.com',
          title: 'E',
          cited_text: '',
          encrypted_index: '',
        },
      },
      { type: 'text_delta', text: '[image (image/png) left out: the Messages API has no images in replies]' },
    ],
  )
  t.end()
})

t.test('a reply without a start event still begins with message_start, and keeps a msg_ id', (t) => {
  t.match(encode([text('x')]), /^event: message_start\n.*"id":"msg_new1".*"model":"client-model"/)
  t.match(encode([{ type: 'start', id: 'msg_own', model: undefined, createdAt: undefined }]), /"id":"msg_own"/)
  t.end()
})

t.test('R3.4 a failed stream ends in an error event with the Anthropic shape', (t) => {
  const encoder = anthropic.streamEncoder(clientContext())
  encoder.push(START)
  encoder.push(text('Half'))
  const error = new KorProxyError('KP-PROV-111', { account: 'a', reason: 'reset' })
  t.equal(
    encoder.fail({ error, correlationId: 'req-1', docsUrl: 'https://docs.test/KP-PROV-111' }),
    'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"The stream from the provider of account a broke off: reset.","kp_code":"KP-PROV-111","doc_url":"https://docs.test/KP-PROV-111"},"request_id":"req-1"}\n\n',
  )
  t.end()
})

t.test('a heartbeat is a ping event', (t) => {
  t.equal(anthropic.heartbeat, 'event: ping\ndata: {"type":"ping"}\n\n')
  t.end()
})

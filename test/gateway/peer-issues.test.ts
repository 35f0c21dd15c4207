import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import t, { type Test } from 'tap'
import type { JsonObject } from '#formats/ir/chat-request.ts'
import { onlyAccount, type Stack, startStack } from '../helpers/stack.ts'

/** Mistakes of other gateways in translating, each with where it was reported, as clients meet them through the whole gateway. */

type Script = Parameters<Stack['simulator']['script']>[0]['script']

interface Gateway {
  readonly openai: OpenAI
  readonly anthropic: Anthropic
  readonly stack: Stack
  /** The provider's next answers. */
  answer(script: Script): void
  /** The body of the last request that the provider got. */
  sent(): JsonObject
}

async function gateway(t: Test, fields: string, path = '/v1'): Promise<Gateway> {
  const stack = await startStack(t, onlyAccount(fields, path))
  return {
    stack,
    openai: new OpenAI({ apiKey: 'k', baseURL: `${stack.url}/v1`, maxRetries: 0 }),
    anthropic: new Anthropic({ apiKey: 'k', baseURL: stack.url, maxRetries: 0 }),
    answer: (script) => {
      stack.simulator.reset()
      stack.simulator.script({ script })
    },
    sent: () => JSON.parse(new TextDecoder().decode(stack.simulator.requests().at(-1)?.body)),
  }
}

/** A stream of the provider, event by event; `event:` lines where the events have a type. */
function stream(frames: readonly JsonObject[], last = ''): Script {
  const text = frames.map((frame) => {
    const name = typeof frame['type'] === 'string' ? `event: ${frame['type']}\n` : ''
    return `${name}data: ${JSON.stringify(frame)}\n\n`
  })
  return [
    { status: 200, headers: { 'content-type': 'text/event-stream' } },
    { write: text.join('') + last },
    { end: true },
  ]
}

function chatStream(...deltas: readonly [delta: JsonObject, finish?: string][]): Script {
  const chunks = deltas.map(([delta, finish]): JsonObject => {
    const choice = { index: 0, delta, finish_reason: finish ?? null }
    return { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [choice] }
  })
  const usage = { prompt_tokens: 100, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 80 } }
  return stream([...chunks, { id: 'chatcmpl-1', choices: [], usage }], 'data: [DONE]\n\n')
}

const HI = { role: 'user' as const, content: 'hi' }

t.test(
  'a system message in the middle stays one at OpenAI and is a reminder elsewhere, never developer (router-for-me/CLIProxyAPI#3608, #3609)',
  async (t) => {
    const messages: Anthropic.MessageParam[] = [
      HI,
      // Claude Code sends it; the SDK's types of this version know only two roles.
      { role: 'system', content: 'Be terse.' } as unknown as Anthropic.MessageParam,
      { role: 'assistant', content: 'a' },
      { role: 'user', content: 'b' },
    ]
    const roles = async (fields: string, model: string) => {
      const { anthropic, sent } = await gateway(t, fields)
      await anthropic.messages.create({ model, max_tokens: 9, messages })
      return sent()['messages']
    }
    t.strictSame(await roles('provider: OpenAI', 'gpt-4o'), [
      { role: 'user', content: 'hi' },
      { role: 'system', content: 'Be terse.' },
      { role: 'assistant', content: 'a' },
      { role: 'user', content: 'b' },
    ])
    t.strictSame(await roles('provider: OpenAICompatible', 'llama'), [
      { role: 'user', content: 'hi' },
      { role: 'user', content: '<system-reminder>\nBe terse.\n</system-reminder>' },
      { role: 'assistant', content: 'a' },
      { role: 'user', content: 'b' },
    ])
  },
)

t.test(
  'sampling goes only to Claude models that take it, and never both kinds (BerriAI/litellm#26246, #28113, models.dev#1468, modelparams.dev#238)',
  async (t) => {
    const { openai, sent } = await gateway(t, 'provider: Anthropic', '')
    const sampled = async (model: string, fields: object) => {
      await openai.chat.completions.create({ model, messages: [HI], ...fields })
      const { temperature, top_p } = sent()
      return [temperature, top_p]
    }
    t.strictSame(await sampled('claude-opus-4-7', { temperature: 0.5, top_p: 0.9 }), [undefined, undefined])
    t.strictSame(await sampled('claude-opus-4-7', { temperature: 1 }), [undefined, undefined])
    t.strictSame(await sampled('claude-sonnet-4-5', { temperature: 0.5, top_p: 0.9 }), [0.5, undefined])
    t.strictSame(await sampled('claude-sonnet-4-5', { temperature: 1.5 }), [1, undefined])
  },
)

t.test(
  'results of parallel calls are one message for Claude, answered or not, and each counts once (MoonshotAI/kosong#45, Zoo-Code#1705)',
  async (t) => {
    const { openai, sent } = await gateway(t, 'provider: Anthropic', '')
    const call = (id: string) => ({ id, type: 'function' as const, function: { name: 'f', arguments: '' } })
    await openai.chat.completions.create({
      model: 'claude-sonnet-4-5',
      messages: [
        HI,
        { role: 'assistant', content: null, tool_calls: [call('a'), call('b'), call('c')] },
        { role: 'tool', tool_call_id: 'b', content: 'old' },
        { role: 'tool', tool_call_id: 'a', content: 'A' },
        { role: 'tool', tool_call_id: 'b', content: 'B' },
        { role: 'user', content: 'next' },
      ],
    })
    const { messages } = sent()
    t.strictSame(messages, [
      { role: 'user', content: [{ type: 'text', text: 'hi' }] },
      { role: 'assistant', content: ['a', 'b', 'c'].map((id) => ({ type: 'tool_use', id, name: 'f', input: {} })) },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'a', content: 'A' },
          { type: 'tool_result', tool_use_id: 'b', content: 'B' },
          { type: 'tool_result', tool_use_id: 'c', content: 'no result', is_error: true },
          { type: 'text', text: 'next' },
        ],
      },
    ])
  },
)

const part = (index: number | undefined, text: string, start?: readonly [id: string, name: string]): JsonObject => ({
  tool_calls: [
    {
      ...(index === undefined ? {} : { index }),
      ...(start === undefined ? {} : { id: start[0], type: 'function' }),
      function: { ...(start === undefined ? {} : { name: start[1] }), arguments: text },
    },
  ],
})

t.test(
  'arguments of calls that arrive in turns, or without index, reach the call that they belong to (praxis-proxy/ai#266, jin-bo/agentao#117)',
  async (t) => {
    const { anthropic, answer } = await gateway(t, 'provider: OpenAI')
    const calls = async (script: Script) => {
      answer(script)
      const message = await anthropic.messages.stream({ model: 'gpt-4o', max_tokens: 9, messages: [HI] }).finalMessage()
      t.equal(message.stop_reason, 'tool_use')
      return message.content.map((block) => (block.type === 'tool_use' ? [block.name, block.input] : block.type))
    }
    const wanted = [
      ['f', { a: 1 }],
      ['g', { b: 2 }],
    ]
    const interleaved = chatStream(
      [part(0, '{"a"', ['x', 'f'])],
      [part(1, '{"b"', ['y', 'g'])],
      [part(0, ':1}')],
      [part(1, ':2}')],
      [{}, 'tool_calls'],
    )
    t.strictSame(await calls(interleaved), wanted, 'interleaved')
    const unnumbered = chatStream(
      [part(undefined, '{"a"', ['x', 'f'])],
      [part(undefined, ':1}')],
      [part(undefined, '{"b":2}', ['y', 'g'])],
      [{}, 'stop'],
    )
    t.strictSame(await calls(unnumbered), wanted, 'without index')
  },
)

const CALLED_BY_CLAUDE = stream([
  { type: 'message_start', message: { id: 'msg_1', role: 'assistant', content: [], usage: { input_tokens: 5 } } },
  ...[0, 1].flatMap((index): JsonObject[] => [
    {
      type: 'content_block_start',
      index,
      content_block: { type: 'tool_use', id: `toolu_${index}`, name: 'f', input: {} },
    },
    { type: 'content_block_delta', index, delta: { type: 'input_json_delta', partial_json: `{"n":${index}}` } },
    { type: 'content_block_stop', index },
  ]),
  { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 5 } },
  { type: 'message_stop' },
])
const CALLED_BY_GEMINI = stream(
  [0, 1].map((n): JsonObject => {
    const parts = [{ functionCall: { name: 'f', args: { n } } }]
    return { candidates: [{ index: 0, content: { role: 'model', parts }, ...(n === 1 && { finishReason: 'STOP' }) }] }
  }),
)

for (const [provider, path, model, script] of [
  ['Anthropic', '', 'claude-sonnet-4-5', CALLED_BY_CLAUDE],
  ['Gemini', '', 'gemini-2.5-flash', CALLED_BY_GEMINI],
] as const) {
  t.test(
    `parallel calls of ${provider} are two calls for every OpenAI client (BerriAI/litellm#5231, #14587, #21331, Portkey#1284, bifrost#1961)`,
    async (t) => {
      const { openai, answer } = await gateway(t, `provider: ${provider}`, path)
      answer(script)
      const completion = await openai.chat.completions.stream({ model, messages: [HI] }).finalChatCompletion()
      const calls = completion.choices[0]?.message.tool_calls ?? []
      t.strictSame(
        calls.map((call) => (call.type === 'function' ? call.function.arguments : '')),
        ['{"n":0}', '{"n":1}'],
      )
      t.equal(new Set(calls.map(({ id }) => id)).size, 2, 'ids of their own')
      t.equal(completion.choices[0]?.finish_reason, 'tool_calls')
      answer(script)
      const response = await openai.responses.stream({ model, input: 'hi' }).finalResponse()
      t.strictSame(
        response.output.map((item) => (item.type === 'function_call' ? item.arguments : item.type)),
        ['{"n":0}', '{"n":1}'],
      )
    },
  )
}

t.test(
  'a stream tells Claude Code of the prompt at its start, and the true numbers, cached tokens once, at its end (sglang#20830, llm-rosetta#424, envoyproxy/ai-gateway#2350)',
  async (t) => {
    const { anthropic, answer } = await gateway(t, 'provider: OpenAI')
    answer(chatStream([{ role: 'assistant', content: 'Hi' }], [{}, 'stop']))
    const events: Anthropic.MessageStreamEvent[] = []
    for await (const event of anthropic.messages.stream({ model: 'gpt-4o', max_tokens: 9, messages: [HI] }))
      events.push(event)
    const [start] = events
    t.ok(start?.type === 'message_start' && start.message.usage.input_tokens > 0, 'an estimate')
    t.match(
      events.find(({ type }) => type === 'message_delta'),
      {
        usage: { input_tokens: 20, cache_read_input_tokens: 80, output_tokens: 5 },
      },
    )
  },
)

t.test(
  'a full context window is told in words that make Claude Code compact or ask for less (claude-code-router#1799, Floway#166)',
  async (t) => {
    const { anthropic, answer } = await gateway(t, 'provider: OpenAI')
    const told = async (message: string): Promise<string> => {
      answer([
        { status: 400, headers: { 'content-type': 'application/json' } },
        {
          write: JSON.stringify({ error: { message, type: 'invalid_request_error', code: 'context_length_exceeded' } }),
        },
        { end: true },
      ])
      const asked = anthropic.messages.create({ model: 'gpt-4o', max_tokens: 9, messages: [HI] })
      const error: unknown = await asked.catch((cause: unknown) => cause)
      if (!(error instanceof Anthropic.BadRequestError)) throw new Error(`no 400: ${String(error)}`)
      return error.message
    }
    t.match(
      await told(
        "This model's maximum context length is 128000 tokens. However, your messages resulted in 150000 tokens.",
      ),
      'prompt is too long: 150000 tokens > 128000 maximum',
    )
    t.match(
      await told(
        "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens (8000 in the messages, 1000 in the completion).",
      ),
      'input length and `max_tokens` exceed context limit: 8000 + 1000 > 8192',
    )
  },
)

t.test(
  'thinking without a signature of Claude is left out of a request to Claude, not signed by somebody else (router-for-me/CLIProxyAPI#570, #1584)',
  async (t) => {
    const { stack, openai, sent } = await gateway(t, 'provider: Anthropic', '')
    // Fields of DeepSeek and OpenRouter that the SDK's types do not know.
    const thought = { role: 'assistant', content: 'A', reasoning_content: 'hm' } as OpenAI.ChatCompletionMessageParam
    const detail = { type: 'reasoning.text', text: 'hm', signature: 'kp1.gemini.c2ln' }
    const signed = { role: 'assistant', content: 'B', reasoning_details: [detail] } as OpenAI.ChatCompletionMessageParam
    const { response } = await openai.chat.completions
      .create({ model: 'claude-sonnet-4-5', messages: [HI, thought, HI, signed, HI] })
      .withResponse()
    t.notMatch(JSON.stringify(sent()), /thinking|signature|c2ln|hm/)
    t.match(response.headers.get('x-korproxy-dropped'), 'messages.thinking')
    t.equal(stack.simulator.requests().length, 1)
  },
)

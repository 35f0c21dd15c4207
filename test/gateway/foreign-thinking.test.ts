import t, { type Test } from 'tap'
import { accounts, type Stack, startStack } from '../helpers/stack.ts'

const GROUP = `
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: main}
spec: {selectionStrategy: Priority, accountRefs: [{name: a, priority: 0}, {name: b, priority: 1}]}
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: default}
spec: {defaultProviderGroup: {name: main}}
`

const start = (t: Test, provider: string, path: string): Promise<Stack> =>
  startStack(t, accounts(['a', 'b'], `provider: ${provider}`, path) + GROUP)

/** What a client sends (the signatures are those that the simulator takes), how the provider refuses it, and what it takes. */
interface Case {
  readonly provider: string
  readonly base: string
  readonly path: string
  readonly body: string
  readonly refusal: string
  readonly cleaned: string
  readonly dropped: string
  /** The error as this format's clients know it. */
  readonly error: RegExp
}

const CASES: Readonly<Record<string, Case>> = {
  Anthropic: {
    provider: 'Anthropic',
    base: '',
    path: '/v1/messages',
    body: '{"model":"claude-sonnet-4-5","max_tokens":2000,"temperature":1.0,"thinking":{"type":"enabled","budget_tokens":1024},"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":[{"type":"thinking","thinking":"Hm.","signature":"bW9jay1hbnRocm9waWMtc2lnbmF0dXJl"},{"type":"tool_use","id":"toolu_1","name":"n","input":{"id":12345678901234567890}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"20"}]}]}',
    refusal: 'messages.1.content.0: Invalid `signature` in `thinking` block',
    cleaned:
      '{"model":"claude-sonnet-4-5","max_tokens":2000,"temperature":1.0,"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"n","input":{"id":12345678901234567890}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"20"}]}],"thinking":{"type":"disabled"}}',
    dropped: 'messages.thinking,thinking',
    error: /^\{"type":"error","error":\{"type":"invalid_request_error"/,
  },
  Gemini: {
    provider: 'Gemini',
    base: '',
    path: '/v1beta/models/gemini-3-pro:generateContent',
    body: '{"contents":[{"role":"user","parts":[{"text":"Hi"}]},{"role":"model","parts":[{"functionCall":{"name":"n","args":{}},"thoughtSignature":"bW9jay1nZW1pbmktc2lnbmF0dXJl"}]},{"role":"user","parts":[{"functionResponse":{"name":"n","response":{}}}]}]}',
    refusal: 'Corrupted thought signature.',
    cleaned:
      '{"contents":[{"role":"user","parts":[{"text":"Hi"}]},{"role":"model","parts":[{"functionCall":{"name":"n","args":{}},"thoughtSignature":"skip_thought_signature_validator"}]},{"role":"user","parts":[{"functionResponse":{"name":"n","response":{}}}]}]}',
    dropped: 'contents.thoughtSignature',
    error: /^\{"error":\{"code":400,/,
  },
  'OpenAI responses': {
    provider: 'OpenAI',
    base: '/v1',
    path: '/v1/responses',
    body: '{"model":"gpt-5.1","store":false,"input":[{"role":"user","content":"Hi"},{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"gAAA"},{"type":"function_call","id":"fc_1","call_id":"call_1","name":"n","arguments":"{}"},{"type":"function_call_output","call_id":"call_1","output":"20"}]}',
    refusal:
      'The encrypted content gAAA could not be verified. Reason: Encrypted content could not be decrypted or parsed.',
    cleaned:
      '{"model":"gpt-5.1","store":false,"input":[{"role":"user","content":"Hi"},{"type":"function_call","call_id":"call_1","name":"n","arguments":"{}"},{"type":"function_call_output","call_id":"call_1","output":"20"}]}',
    dropped: 'input.reasoning',
    error: /^\{"error":\{"message":/,
  },
}

interface Answer {
  readonly status: number
  readonly text: string
  readonly headers: Headers
}

async function ask({ url }: Stack, path: string, body: string): Promise<Answer> {
  const reply = await fetch(url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  return { status: reply.status, text: await reply.text(), headers: reply.headers }
}

const refuse = (stack: Stack, message: string, times: number): void =>
  stack.simulator.script({ times, script: { failure: { status: 400, message } } })

const keys = ({ simulator }: Stack): (string | undefined)[] => simulator.requests().map(({ key }) => key)
const bodies = ({ simulator }: Stack): string[] =>
  simulator.requests().map(({ body }) => new TextDecoder().decode(body))

for (const [name, each] of Object.entries(CASES)) {
  t.test(
    `R3.3 ${name}: thinking that the provider refuses is taken out, and the same account asked once more`,
    async (t) => {
      const stack = await start(t, each.provider, each.base)
      refuse(stack, each.refusal, 1)
      const { status, text, headers } = await ask(stack, each.path, each.body)
      t.equal(status, 200, text)
      t.strictSame(keys(stack), ['sk-a', 'sk-a'])
      t.strictSame(bodies(stack), [each.body, each.cleaned])
      t.equal(headers.get('x-korproxy-attempts'), '2')
      t.equal(headers.get('x-korproxy-dropped'), each.dropped)
      const [line] = await stack.settled(1)
      t.match(line, { attempts: 2, status: 200 })
    },
  )

  t.test(`R3.3 ${name}: what is refused again is the first refusal in the client's own format`, async (t) => {
    const stack = await start(t, each.provider, each.base)
    refuse(stack, each.refusal, 1)
    refuse(stack, 'something else is wrong', 1)
    const { status, text, headers } = await ask(stack, each.path, each.body)
    t.equal(status, 400)
    t.match(text, each.error)
    t.match(text, each.refusal.slice(0, 20))
    t.equal(headers.get('x-korproxy-error'), 'KP-PROV-104')
    t.strictSame(keys(stack), ['sk-a', 'sk-a'], 'no third call, and no other account')
  })

  t.test(`R3.3 ${name}: other refusals are not sent again`, async (t) => {
    const stack = await start(t, each.provider, each.base)
    refuse(stack, 'max_tokens: must be positive', 1)
    const { status, headers } = await ask(stack, each.path, each.body)
    t.equal(status, 400)
    t.equal(headers.get('x-korproxy-attempts'), '1')
    t.equal(headers.get('x-korproxy-dropped'), null)
    t.strictSame(bodies(stack), [each.body])
  })
}

const ANTHROPIC = '{"model":"claude-sonnet-4-5","max_tokens":100,"messages":[{"role":"user","content":"Hi"}'
const SIGNED = `${ANTHROPIC},{"role":"assistant","content":[{"type":"thinking","thinking":"Hm.","signature":"bW9jay1hbnRocm9waWMtc2lnbmF0dXJl"},{"type":"text","text":"Yes?"}]},{"role":"user","content":"Well"}]}`
const INVALID = 'messages.1.content.0: Invalid `signature` in `thinking` block'

t.test('a request without thinking is not sent again, whatever the refusal says', async (t) => {
  const stack = await start(t, 'Anthropic', '')
  refuse(stack, INVALID, 5)
  const { status } = await ask(stack, '/v1/messages', `${ANTHROPIC}]}`)
  t.equal(status, 400)
  t.strictSame(keys(stack), ['sk-a'])
})

t.test('the second result counts: after a failure of the account the next one gets the thinking again', async (t) => {
  const stack = await start(t, 'Anthropic', '')
  refuse(stack, INVALID, 1)
  stack.simulator.script({ match: { key: 'sk-a' }, script: { failure: { status: 429, retryAfterS: 60 } } })
  const { status, text, headers } = await ask(stack, '/v1/messages', SIGNED)
  t.equal(status, 200, text)
  t.strictSame(keys(stack), ['sk-a', 'sk-a', 'sk-b'])
  t.equal(bodies(stack)[2], SIGNED)
  t.equal(headers.get('x-korproxy-dropped'), null)
  const attempts = 'korproxy_attempts_total'
  const lines = (await stack.metrics()).split('\n').filter((line) => line.startsWith(attempts))
  t.match(lines.join('\n'), /account="a",outcome="refused"\S* 1\n?/)
  t.match(lines.join('\n'), /account="a",outcome="rate-limited"\S* 1\n?/)
  t.match(lines.join('\n'), /account="b",outcome="ok"\S* 1/)
})

t.test('a stream is asked for again as a stream', async (t) => {
  const stack = await start(t, 'Anthropic', '')
  refuse(stack, INVALID, 1)
  const { status, text, headers } = await ask(stack, '/v1/messages', SIGNED.replace('{', '{"stream":true,'))
  t.equal(status, 200)
  t.match(text, /event: message_stop/)
  t.equal(headers.get('x-korproxy-attempts'), '2')
})

t.test('a translated request is sent again without thinking, too', async (t) => {
  const stack = await start(t, 'Anthropic', '')
  refuse(stack, INVALID, 1)
  const { status, text, headers } = await ask(
    stack,
    '/v1/chat/completions',
    '{"model":"claude-sonnet-4-5","seed":1,"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Yes?","reasoning_details":[{"type":"reasoning.text","text":"Hm.","signature":"kp1.anthropic.bW9jay1hbnRocm9waWMtc2lnbmF0dXJl"}]},{"role":"user","content":"Well"}]}',
  )
  t.equal(status, 200, text)
  t.match(text, /"object":"chat\.completion"/)
  const [first, second] = bodies(stack)
  t.match(first, '"type":"thinking"')
  t.notMatch(second, '"type":"thinking"')
  t.equal(headers.get('x-korproxy-dropped'), 'seed,messages.thinking')
})

t.test(
  'a signature of somebody else is refused by the provider itself, and the answer comes all the same (better-ccflare#52, quotio#218)',
  async (t) => {
    const stack = await start(t, 'Anthropic', '')
    const { status, text, headers } = await ask(stack, '/v1/messages', SIGNED.replace('bW9jay', 'c29tZW'))
    t.equal(status, 200, text)
    t.strictSame(
      stack.simulator.requests().map((request) => request.status),
      [400, 200],
    )
    t.equal(headers.get('x-korproxy-dropped'), 'messages.thinking')
  },
)

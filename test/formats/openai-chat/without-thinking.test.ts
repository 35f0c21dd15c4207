import t from 'tap'
import type { TargetModel } from '#formats/format.ts'
import { withoutThinking } from '#formats/openai-chat/without-thinking.ts'

const TARGET: TargetModel = { id: 'any', issuer: 'any', capabilities: {}, quirks: { onUnsupported: 'Error' } }
const THIRD: TargetModel = { ...TARGET, capabilities: { thinkingLevel: true } }

const QUESTION = { role: 'user', content: 'How warm is it?', reasoning: 'mine' }
const CALL = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{}' } }
const SIGNED = { ...CALL, extra_content: { google: { thought_signature: 'Zm9yZWlnbg==' } } }

t.test('every form of thinking goes from the messages of the assistant', (t) => {
  const stripped = withoutThinking(
    {
      model: 'any',
      messages: [
        QUESTION,
        {
          role: 'assistant',
          content: null,
          reasoning: 'Hm.',
          reasoning_content: 'Hm.',
          reasoning_details: [{ type: 'reasoning.text', text: 'Hm.', signature: 'foreign', index: 0 }],
          thinking_blocks: [{ type: 'thinking', thinking: 'Hm.', signature: 'foreign' }],
          tool_calls: [CALL],
        },
      ],
      reasoning_effort: 'high',
    },
    TARGET,
  )
  t.strictSame(stripped, {
    body: {
      model: 'any',
      messages: [QUESTION, { role: 'assistant', content: null, tool_calls: [CALL] }],
      reasoning_effort: 'high',
    },
    dropped: ['messages.thinking'],
  })
  t.end()
})

t.test("Google's signatures of calls go; Gemini 3 gets the marker at the first", (t) => {
  const body = { messages: [QUESTION, { role: 'assistant', content: null, tool_calls: [SIGNED, SIGNED] }] }
  t.strictSame(withoutThinking(body, TARGET), {
    body: { messages: [QUESTION, { role: 'assistant', content: null, tool_calls: [CALL, CALL] }] },
    dropped: ['messages.tool_calls.thought_signature'],
  })
  const marked = { ...CALL, extra_content: { google: { thought_signature: 'skip_thought_signature_validator' } } }
  t.strictSame(withoutThinking(body, THIRD)?.body, {
    messages: [QUESTION, { role: 'assistant', content: null, tool_calls: [marked, CALL] }],
  })
  t.end()
})

t.test('where nothing is thought there is nothing to take out', (t) => {
  const bodies = [
    {},
    { messages: 1 },
    { messages: [null, QUESTION, { role: 'assistant', content: 'Hi', reasoning: null, tool_calls: [CALL] }] },
  ]
  for (const body of bodies) t.equal(withoutThinking(body, THIRD), undefined)
  t.end()
})

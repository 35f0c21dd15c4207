import t from 'tap'
import { withoutThinking } from '#formats/anthropic/without-thinking.ts'
import type { TargetModel } from '#formats/format.ts'

const TARGET: TargetModel = { id: 'claude', issuer: 'anthropic', capabilities: {}, quirks: { onUnsupported: 'Error' } }

const QUESTION = { role: 'user', content: 'How warm is it?' }
const THOUGHT = { type: 'thinking', thinking: 'I shall look.', signature: 'from-another-account' }
const SEALED = { type: 'redacted_thinking', data: 'from-another-account' }
const CALL = { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Bern' } }
const RESULT = { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: '20' }] }

t.test('thinking of a finished turn goes, the rest stays as it is, and thinking stays on', (t) => {
  const stripped = withoutThinking(
    {
      model: 'claude',
      max_tokens: 2000,
      messages: [
        QUESTION,
        { role: 'assistant', content: [THOUGHT, SEALED, { type: 'text', text: 'It is warm.' }] },
        { role: 'user', content: [{ type: 'text', text: 'How warm?', cache_control: { type: 'ephemeral' } }] },
      ],
      thinking: { type: 'enabled', budget_tokens: 1024 },
    },
    TARGET,
  )
  t.strictSame(stripped, {
    body: {
      model: 'claude',
      max_tokens: 2000,
      messages: [
        QUESTION,
        { role: 'assistant', content: [{ type: 'text', text: 'It is warm.' }] },
        { role: 'user', content: [{ type: 'text', text: 'How warm?', cache_control: { type: 'ephemeral' } }] },
      ],
      thinking: { type: 'enabled', budget_tokens: 1024 },
    },
    dropped: ['messages.thinking', 'messages.redacted_thinking'],
  })
  t.end()
})

t.test('within a tool loop thinking by budget is switched off, with the edit that needs it', (t) => {
  const stripped = withoutThinking(
    {
      messages: [QUESTION, { role: 'assistant', content: [THOUGHT, CALL] }, RESULT],
      thinking: { type: 'enabled', budget_tokens: 1024 },
      context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
    },
    TARGET,
  )
  t.strictSame(stripped, {
    body: {
      messages: [QUESTION, { role: 'assistant', content: [CALL] }, RESULT],
      thinking: { type: 'disabled' },
    },
    dropped: ['messages.thinking', 'thinking'],
  })
  t.end()
})

t.test('other edits of the context stay when thinking is switched off', (t) => {
  const stripped = withoutThinking(
    {
      messages: [QUESTION, { role: 'assistant', content: [THOUGHT, CALL] }, RESULT],
      thinking: { type: 'enabled', budget_tokens: 1024 },
      context_management: { edits: [{ type: 'clear_thinking_20251015' }, { type: 'clear_tool_uses_20250919' }] },
    },
    TARGET,
  )
  t.strictSame(stripped?.body['context_management'], { edits: [{ type: 'clear_tool_uses_20250919' }] })
  t.end()
})

t.test('a tool loop whose thinking was lost before: thinking by budget is switched off', (t) => {
  const stripped = withoutThinking(
    {
      messages: [QUESTION, { role: 'assistant', content: [CALL] }, RESULT],
      thinking: { type: 'enabled', budget_tokens: 1024 },
    },
    TARGET,
  )
  t.strictSame(stripped, {
    body: { messages: [QUESTION, { role: 'assistant', content: [CALL] }, RESULT], thinking: { type: 'disabled' } },
    dropped: ['thinking'],
  })
  t.end()
})

t.test('adaptive thinking does without the blocks of a tool loop and stays on', (t) => {
  const stripped = withoutThinking(
    {
      messages: [QUESTION, { role: 'assistant', content: [THOUGHT, CALL] }, RESULT],
      thinking: { type: 'adaptive' },
    },
    TARGET,
  )
  t.strictSame(stripped, {
    body: { messages: [QUESTION, { role: 'assistant', content: [CALL] }, RESULT], thinking: { type: 'adaptive' } },
    dropped: ['messages.thinking'],
  })
  t.end()
})

t.test('a model that always thinks is not told to stop', (t) => {
  const stripped = withoutThinking(
    {
      messages: [QUESTION, { role: 'assistant', content: [THOUGHT, CALL] }, RESULT],
      thinking: { type: 'enabled', budget_tokens: 1024 },
    },
    { ...TARGET, capabilities: { thinkingAlwaysOn: true } },
  )
  t.strictSame(stripped?.body, { messages: [QUESTION, { role: 'assistant', content: [CALL] }, RESULT] })
  t.end()
})

t.test('a message of thinking alone goes whole, because an empty one is refused', (t) => {
  const stripped = withoutThinking(
    { messages: [QUESTION, { role: 'assistant', content: [THOUGHT] }, QUESTION] },
    TARGET,
  )
  t.strictSame(stripped?.body, { messages: [QUESTION, QUESTION] })
  t.end()
})

t.test('where nothing is thought there is nothing to take out, whatever else the body holds', (t) => {
  const bodies = [
    {},
    { messages: 'thinking' },
    { messages: [null, 1, QUESTION, { role: 'assistant', content: 'text' }, { role: 'assistant', content: [CALL] }] },
    { messages: [QUESTION], thinking: { type: 'enabled', budget_tokens: 1024 } },
    { messages: [{ role: 'assistant', content: [{ type: { toString: 1 } }] }], thinking: 'enabled' },
  ]
  for (const body of bodies) t.equal(withoutThinking(body, TARGET), undefined)
  t.end()
})

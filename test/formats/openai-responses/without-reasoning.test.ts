import t from 'tap'
import { withoutReasoning } from '#formats/openai-responses/without-reasoning.ts'

const QUESTION = { type: 'message', role: 'user', content: 'How warm is it?' }
const OUTPUT = { type: 'function_call_output', call_id: 'call_1', output: '20' }

t.test('reasoning goes, and the ids that are bound to it; the wish for new reasoning stays', (t) => {
  const stripped = withoutReasoning({
    model: 'gpt-5.1',
    input: [
      QUESTION,
      { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gAAA' },
      { type: 'item_reference', id: 'rs_2' },
      { type: 'message', id: 'msg_1', role: 'assistant', content: [{ type: 'output_text', text: 'One moment.' }] },
      { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'weather', arguments: '{}' },
      OUTPUT,
      { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm.' }] },
      { type: 'custom_tool_call', id: 'ctc_1', call_id: 'call_2', name: 'patch', input: '' },
      { type: 'web_search_call', id: 'ws_1', status: 'completed' },
      { type: 'compaction', id: 'cmp_1', encrypted_content: 'gAAA' },
    ],
    reasoning: { effort: 'high' },
    include: ['reasoning.encrypted_content'],
    store: false,
  })
  t.strictSame(stripped, {
    body: {
      model: 'gpt-5.1',
      input: [
        QUESTION,
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'One moment.' }] },
        { type: 'function_call', call_id: 'call_1', name: 'weather', arguments: '{}' },
        OUTPUT,
        { type: 'custom_tool_call', call_id: 'call_2', name: 'patch', input: '' },
        { type: 'web_search_call', id: 'ws_1', status: 'completed' },
        { type: 'compaction', id: 'cmp_1', encrypted_content: 'gAAA' },
      ],
      reasoning: { effort: 'high' },
      include: ['reasoning.encrypted_content'],
      store: false,
    },
    dropped: ['input.reasoning'],
  })
  t.end()
})

t.test('without reasoning there is nothing to take out', (t) => {
  const bodies = [
    {},
    { input: 'Hi', reasoning: { effort: 'high' } },
    { input: [QUESTION, OUTPUT, null, { type: 'item_reference', id: { toString: 1 } }] },
    { input: [{ type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'weather', arguments: '{}' }] },
  ]
  for (const body of bodies) t.equal(withoutReasoning(body), undefined)
  t.end()
})

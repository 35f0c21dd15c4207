import t from 'tap'
import type { TargetModel } from '#formats/format.ts'
import { withoutThoughts } from '#formats/gemini/without-thoughts.ts'

const SECOND: TargetModel = { id: 'gemini', issuer: 'gemini', capabilities: {}, quirks: { onUnsupported: 'Error' } }
const THIRD: TargetModel = { ...SECOND, capabilities: { thinkingLevel: true } }

const QUESTION = { role: 'user', parts: [{ text: 'How warm is it?' }] }
const CALL = { functionCall: { name: 'weather', args: { city: 'Bern' } } }
const OTHER_CALL = { functionCall: { name: 'weather', args: { city: 'Rome' } } }
const CONFIG = { thinkingConfig: { thinkingBudget: 1024, includeThoughts: true } }

const HISTORY = {
  contents: [
    QUESTION,
    {
      role: 'model',
      parts: [
        { text: 'I shall look.', thought: true, thoughtSignature: 'Zm9yZWlnbg==' },
        { text: 'One moment.', thoughtSignature: 'Zm9yZWlnbg==' },
        { ...CALL, thoughtSignature: 'Zm9yZWlnbg==' },
        OTHER_CALL,
        { text: '', thought_signature: 'Zm9yZWlnbg==' },
      ],
    },
  ],
  generationConfig: CONFIG,
}

t.test('Gemini 2.5: thoughts and signatures go, and thinking stays on', (t) => {
  t.strictSame(withoutThoughts(HISTORY, SECOND), {
    body: {
      contents: [QUESTION, { role: 'model', parts: [{ text: 'One moment.' }, CALL, OTHER_CALL] }],
      generationConfig: CONFIG,
    },
    dropped: ['contents.thought', 'contents.thoughtSignature'],
  })
  t.end()
})

t.test("Gemini 3: the first call of a turn gets Google's marker in the place of its signature", (t) => {
  t.strictSame(withoutThoughts(HISTORY, THIRD)?.body, {
    contents: [
      QUESTION,
      {
        role: 'model',
        parts: [{ text: 'One moment.' }, { ...CALL, thoughtSignature: 'skip_thought_signature_validator' }, OTHER_CALL],
      },
    ],
    generationConfig: CONFIG,
  })
  t.end()
})

t.test('Gemini 3: a first call without signature gets the marker, in either spelling of the fields', (t) => {
  const call = { function_call: { name: 'weather', args: {} } }
  t.strictSame(withoutThoughts({ contents: [QUESTION, { role: 'model', parts: [call] }] }, THIRD), {
    body: {
      contents: [
        QUESTION,
        { role: 'model', parts: [{ ...call, thoughtSignature: 'skip_thought_signature_validator' }] },
      ],
    },
    dropped: [],
  })
  t.end()
})

t.test('a turn of thoughts alone goes whole', (t) => {
  const thoughts = { role: 'model', parts: [{ text: 'Hm.', thought: true }] }
  t.strictSame(withoutThoughts({ contents: [QUESTION, thoughts, QUESTION] }, SECOND)?.body, {
    contents: [QUESTION, QUESTION],
  })
  t.end()
})

t.test('where nothing is thought or signed there is nothing to take out, nor where the marker stands already', (t) => {
  const marked = { ...CALL, thoughtSignature: 'skip_thought_signature_validator' }
  const ours = { ...CALL, thoughtSignature: 'skip/thought/signature/validator' }
  const bodies = [
    {},
    { contents: 'thought' },
    { contents: [null, QUESTION, { role: 'model' }, { role: 'model', parts: [] }] },
    { contents: [QUESTION, { role: 'model', parts: [marked, OTHER_CALL] }, { role: 'model', parts: [ours] }] },
  ]
  for (const body of bodies) t.equal(withoutThoughts(body, THIRD), undefined)
  t.equal(withoutThoughts({ contents: [QUESTION, { role: 'model', parts: [CALL] }] }, SECOND), undefined)
  t.end()
})

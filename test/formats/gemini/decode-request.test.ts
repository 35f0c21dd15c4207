import t from 'tap'
import { gemini } from '#formats/gemini/gemini.ts'
import type { JsonObject } from '#formats/ir/chat-request.ts'
import { golden } from '../../helpers/golden.ts'

const PATH = { model: 'gemini-2.5-flash', stream: true }
const decode = (body: JsonObject) => gemini.decodeRequest(body, PATH)
const ask = (parts: JsonObject[]): JsonObject => ({ contents: [{ role: 'user', parts }] })

t.test('R3.2 requests of Gemini clients become the intermediate form', (t) => {
  golden(t, new URL('../requests/gemini/', import.meta.url), 'ir', (body) => decode(body as JsonObject))
  t.end()
})

t.test('the model stands in the path, else in the body, with or without its collection', (t) => {
  const body = { ...ask([{ text: 'hi' }]), model: 'models/gemini-3.8-flash' }
  t.equal(gemini.decodeRequest(body, {}).model, 'gemini-3.8-flash')
  t.equal(gemini.decodeRequest(body, { model: 'models/other' }).model, 'other')
  t.throws(() => gemini.decodeRequest(ask([{ text: 'hi' }]), {}), { code: 'KP-SYS-516', message: /model/ })
  t.end()
})

t.test('a broken field is named', (t) => {
  t.throws(() => decode({}), { code: 'KP-SYS-516', message: /contents/ })
  t.throws(() => decode({ contents: [{ role: 'robot', parts: [] }] }), {
    code: 'KP-SYS-516',
    message: /contents\[0\]\.role/,
  })
  t.throws(() => decode(ask([{ functionCall: { name: 'f' } }])), {
    code: 'KP-SYS-516',
    message: /contents\[0\]\.parts\[0\]/,
  })
  t.throws(() => decode({ contents: [{ role: 'model', parts: [{ functionResponse: { name: 'f' } }] }] }), {
    code: 'KP-SYS-516',
  })
  t.throws(() => decode({ ...ask([{ text: 'hi' }]), generationConfig: { topP: 'high' } }), {
    code: 'KP-SYS-516',
    message: /generationConfig\.topP/,
  })
  t.end()
})

t.test('a field in both spellings is refused, because its readers could differ', (t) => {
  t.throws(() => decode({ ...ask([{ text: 'hi' }]), generationConfig: {}, generation_config: {} }), {
    code: 'KP-SYS-515',
  })
  t.end()
})

t.test('what only Gemini can answer is refused and not left out', (t) => {
  t.throws(() => decode(ask([{ inlineData: { mimeType: 'video/mp4', data: 'AAAA' } }])), { code: 'KP-PROV-112' })
  t.throws(() => decode(ask([{ hologram: {} }])), { code: 'KP-PROV-112', message: /hologram/ })
  const audio = { ...ask([{ text: 'sing' }]), generationConfig: { responseModalities: ['AUDIO'] } }
  t.throws(() => decode(audio), { code: 'KP-PROV-112' })
  for (const name of ['cachedContent', 'cached_content']) {
    const cached = { ...ask([{ text: 'And then?' }]), [name]: 'cachedContents/story' }
    t.throws(() => decode(cached), { code: 'KP-PROV-112', message: /cachedContent.*Send the whole conversation/ })
  }
  t.same(decode({ ...ask([{ text: 'hi' }]), cachedContent: '' }).dropped, [])
  t.end()
})

t.test('an instruction is text elsewhere: what else stands in it is listed', (t) => {
  const inlineData = { mimeType: 'image/png', data: 'iVBORw0KGgo=' }
  const request = decode({
    systemInstruction: { parts: [{ text: 'Look:' }, { inlineData }] },
    contents: [
      { role: 'system', parts: [{ file_data: { file_uri: 'gs://b/rules.pdf' } }] },
      { role: 'user', parts: [{ text: 'hi' }] },
    ],
  })
  t.same(request.system, [{ type: 'text', text: 'Look:' }])
  t.same(request.dropped, ['systemInstruction.inlineData', 'systemInstruction.fileData'])
  t.end()
})

t.test('a choice of one value has no form elsewhere and is listed', (t) => {
  const schema = { type: 'STRING', enum: ['a', 'b'] }
  const { dropped, responseFormat } = decode({
    ...ask([{ text: 'pick' }]),
    generationConfig: { responseMimeType: 'text/x.enum', responseSchema: schema },
  })
  t.equal(responseFormat, undefined)
  t.same(dropped, ['responseMimeType'])
  t.end()
})

t.test('what Google alone asks of a function or of its own tools is listed, and a mode is read in either case', (t) => {
  const { dropped, toolChoice } = decode({
    contents: [{ parts: [{ text: 'hi' }] }],
    tools: [{ functionDeclarations: [{ name: 'f', behavior: 'NON_BLOCKING', response: { type: 'STRING' } }] }],
    toolConfig: { functionCallingConfig: { mode: 'any' }, retrievalConfig: { languageCode: 'en' } },
  })
  t.strictSame(dropped, [
    'functionDeclarations.behavior',
    'functionDeclarations.response',
    'toolConfig.retrievalConfig',
  ])
  t.strictSame(toolChoice, { type: 'required' })
  t.end()
})

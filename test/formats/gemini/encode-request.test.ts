import t from 'tap'
import type { ModelCapabilities, TargetModel } from '#formats/format.ts'
import { encodeGeminiRequest } from '#formats/gemini/encode-request.ts'
import { gemini } from '#formats/gemini/gemini.ts'
import { geminiPath } from '#formats/gemini/gemini-path.ts'
import type { ChatRequest, ImagePart, JsonObject, Reasoning, Turn } from '#formats/ir/chat-request.ts'
import { golden } from '../../helpers/golden.ts'

const EMPTY: ChatRequest = gemini.decodeRequest({ contents: [] }, { model: 'm' })

function target(capabilities: ModelCapabilities): TargetModel {
  return { id: 'gemini-2.5-flash', issuer: 'gemini', capabilities, quirks: { onUnsupported: 'Error' } }
}

function encode(request: Partial<ChatRequest>, capabilities: ModelCapabilities = {}): JsonObject {
  return encodeGeminiRequest({ ...EMPTY, ...request }, target(capabilities)).body
}

t.test('R3.3 a request of another format is written for Gemini', (t) => {
  golden(t, new URL('../encode/gemini/', import.meta.url), 'body', (input) => {
    // Golden inputs hold a target and what differs from an empty request.
    const { request, target } = input as { request: Partial<ChatRequest>; target: TargetModel }
    const { body, dropped, replyContext } = encodeGeminiRequest({ ...EMPTY, ...request }, target)
    return { body, dropped, toolNames: Object.fromEntries(replyContext.toolNames) }
  })
  t.end()
})

const thinking = (reasoning: Reasoning, capabilities: ModelCapabilities): unknown =>
  encode({ reasoning }, capabilities)['generationConfig']

t.test('effort becomes a budget for Gemini 2.5 and a level for Gemini 3, never both', (t) => {
  const rows: [Reasoning, JsonObject, JsonObject][] = [
    [
      { effort: 'none' },
      { thinkingBudget: 0, includeThoughts: false },
      { thinkingLevel: 'minimal', includeThoughts: false },
    ],
    [
      { effort: 'minimal' },
      { thinkingBudget: 512, includeThoughts: true },
      { thinkingLevel: 'minimal', includeThoughts: true },
    ],
    [
      { effort: 'low' },
      { thinkingBudget: 1024, includeThoughts: true },
      { thinkingLevel: 'low', includeThoughts: true },
    ],
    [
      { effort: 'medium' },
      { thinkingBudget: 8192, includeThoughts: true },
      { thinkingLevel: 'medium', includeThoughts: true },
    ],
    [
      { effort: 'high' },
      { thinkingBudget: 24576, includeThoughts: true },
      { thinkingLevel: 'high', includeThoughts: true },
    ],
    [
      { effort: 'xhigh' },
      { thinkingBudget: 24576, includeThoughts: true },
      { thinkingLevel: 'high', includeThoughts: true },
    ],
    [
      { effort: 'max' },
      { thinkingBudget: 24576, includeThoughts: true },
      { thinkingLevel: 'high', includeThoughts: true },
    ],
    [
      { budgetTokens: 0 },
      { thinkingBudget: 0, includeThoughts: false },
      { thinkingLevel: 'minimal', includeThoughts: false },
    ],
    [
      { budgetTokens: 100 },
      { thinkingBudget: 512, includeThoughts: true },
      { thinkingLevel: 'low', includeThoughts: true },
    ],
    [
      { budgetTokens: 4000 },
      { thinkingBudget: 4000, includeThoughts: true },
      { thinkingLevel: 'medium', includeThoughts: true },
    ],
    [
      { budgetTokens: 99_999 },
      { thinkingBudget: 24576, includeThoughts: true },
      { thinkingLevel: 'high', includeThoughts: true },
    ],
    [{ adaptive: true }, { thinkingBudget: -1, includeThoughts: true }, { includeThoughts: true }],
    [{ includeThoughts: false }, { includeThoughts: false }, { includeThoughts: false }],
  ]
  for (const [reasoning, budget, level] of rows) {
    t.same(thinking(reasoning, {}), { thinkingConfig: budget }, JSON.stringify(reasoning))
    t.same(thinking(reasoning, { thinkingLevel: true }), { thinkingConfig: level }, JSON.stringify(reasoning))
  }
  t.end()
})

t.test('a model that always thinks is not told to stop', (t) => {
  const always = { thinkingAlwaysOn: true }
  t.same(thinking({ effort: 'none' }, always), { thinkingConfig: { thinkingBudget: 128, includeThoughts: true } })
  t.same(thinking({ budgetTokens: 30_000 }, always), {
    thinkingConfig: { thinkingBudget: 30_000, includeThoughts: true },
  })
  t.same(thinking({ effort: 'none' }, { ...always, thinkingLevel: true }), {
    thinkingConfig: { thinkingLevel: 'low', includeThoughts: true },
  })
  t.end()
})

t.test('a model that does not think gets no thinking, and the loss is listed', (t) => {
  const { body, dropped } = encodeGeminiRequest(
    { ...EMPTY, reasoning: { effort: 'low' } },
    target({ reasoning: false }),
  )
  t.equal(body['generationConfig'], undefined)
  t.same(dropped, ['reasoning_effort'])
  t.end()
})

t.test('a model that cannot be forced to call a tool is asked, and the loss is listed', (t) => {
  const tools = [
    {
      name: 'a',
      description: undefined,
      parameters: undefined,
      strict: undefined,
      origin: { kind: 'function' as const },
    },
  ]
  const request: ChatRequest = { ...EMPTY, tools, toolChoice: { type: 'required' } }
  const { body, dropped } = encodeGeminiRequest(request, target({ forcedToolUse: false }))
  t.same(body['toolConfig'], { functionCallingConfig: { mode: 'AUTO' } })
  t.same(dropped, ['tool_choice'])
  t.same(encode({ tools, toolChoice: { type: 'required' } })['toolConfig'], { functionCallingConfig: { mode: 'ANY' } })
  t.end()
})

t.test('addresses that Google does not serve are refused and never fetched', (t) => {
  const send = (part: ImagePart) => encode({ turns: [{ role: 'user', parts: [part] }] })
  for (const url of ['https://example.com/a.png', 'http://169.254.169.254/', 'https://youtube.com.example.com/x']) {
    t.throws(() => send({ type: 'image', source: { kind: 'url', url } }), { code: 'KP-PROV-112' }, url)
  }
  t.throws(() => send({ type: 'image', source: { kind: 'file', id: 'file-abc' } }), { code: 'KP-PROV-112' })
  t.same(send({ type: 'image', source: { kind: 'url', url: 'data:image/png;base64,iVBO' } })['contents'], [
    { role: 'user', parts: [{ inlineData: { mimeType: 'image/png', data: 'iVBO' } }] },
  ])
  t.end()
})

t.test('a conversation that must not end with the model is handed back to it', (t) => {
  const turns: Turn[] = [
    { role: 'user', parts: [{ type: 'text', text: 'a' }] },
    { role: 'assistant', parts: [{ type: 'text', text: 'b' }] },
  ]
  const said = [
    { role: 'user', parts: [{ text: 'a' }] },
    { role: 'model', parts: [{ text: 'b' }] },
  ]
  t.same(encode({ turns })['contents'], said)
  t.same(encode({ turns }, { prefill: false })['contents'], [...said, { role: 'user', parts: [{ text: 'Continue.' }] }])
  t.end()
})

t.test('JSON is asked for in the prompt where a model cannot take it beside tools or has no schemas', (t) => {
  const tools = [
    {
      name: 'a',
      description: undefined,
      parameters: undefined,
      strict: undefined,
      origin: { kind: 'function' as const },
    },
  ]
  const schema = { type: 'json-schema' as const, name: 'x', schema: { type: 'object' } }
  t.same(encode({ tools, responseFormat: { type: 'json' } })['systemInstruction'], {
    parts: [{ text: 'Unless you call a function, answer with a JSON object only.' }],
  })
  t.same(encode({ responseFormat: { type: 'json' } })['generationConfig'], { responseMimeType: 'application/json' })
  const plain = encode({ responseFormat: schema }, { jsonSchema: false })
  t.same(plain['generationConfig'], { responseMimeType: 'application/json' })
  t.same(plain['systemInstruction'], {
    parts: [{ text: 'Answer with JSON only, valid against this JSON Schema:\n{"type":"object"}' }],
  })
  t.end()
})

t.test('low detail of all images lowers the resolution of the request', (t) => {
  const image = (detail: 'low' | 'auto'): ImagePart => ({
    type: 'image',
    detail,
    source: { kind: 'base64', mediaType: 'image/png', data: 'iVBO' },
  })
  const low = encode({ turns: [{ role: 'user', parts: [image('low')] }] })
  t.same(low['generationConfig'], { mediaResolution: 'MEDIA_RESOLUTION_LOW' })
  t.equal(encode({ turns: [{ role: 'user', parts: [image('low'), image('auto')] }] })['generationConfig'], undefined)
  t.end()
})

t.test('the path holds model and verb, and no model name can leave it', (t) => {
  t.equal(geminiPath('gemini-2.5-flash', 'generateContent'), '/models/gemini-2.5-flash:generateContent')
  t.equal(geminiPath('models/g', 'streamGenerateContent'), '/models/g:streamGenerateContent?alt=sse')
  t.equal(geminiPath('tunedModels/t', 'countTokens'), '/tunedModels/t:countTokens')
  t.equal(geminiPath('../v1/other?x', 'generateContent'), '/models/..%2Fv1%2Fother%3Fx:generateContent')
  t.end()
})

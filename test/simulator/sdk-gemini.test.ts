import { ApiError, FunctionCallingConfigMode, GoogleGenAI } from '@google/genai'
import t, { type Test } from 'tap'
import { type Simulator, startSimulator } from '#simulator/simulator.ts'
import { collect } from './collect.ts'

async function start(t: Test, apiKey = 'AIza-good'): Promise<{ simulator: Simulator; client: GoogleGenAI }> {
  const simulator = await startSimulator({ clock: () => 1_800_000_000_000 })
  t.teardown(() => simulator.close())
  return { simulator, client: new GoogleGenAI({ apiKey, httpOptions: { baseUrl: simulator.url } }) }
}

const declaration = {
  name: 'get_weather',
  parametersJsonSchema: { type: 'object', properties: { city: { type: 'string' } } },
}
const tools = [{ functionDeclarations: [declaration] }]

t.test('R3.8 generateContent answers with text and counts thoughts apart', async (t) => {
  const { client } = await start(t)
  const plain = await client.models.generateContent({ model: 'gemini-2.5-flash', contents: 'hi' })
  t.equal(plain.text, 'Hello from gemini gemini-2.5-flash.')
  t.match(plain.usageMetadata, {
    promptTokenCount: 11,
    cachedContentTokenCount: 3,
    candidatesTokenCount: 7,
    totalTokenCount: 18,
  })
  const thoughtful = await client.models.generateContent({ model: 'gemini-2.5-flash', contents: 'THINK' })
  t.match(thoughtful.candidates?.[0]?.content?.parts, [
    { thought: true },
    { text: 'Hello from gemini gemini-2.5-flash.' },
  ])
  t.match(thoughtful.usageMetadata, { candidatesTokenCount: 5, thoughtsTokenCount: 2 })
  t.equal((await client.models.countTokens({ model: 'gemini-2.5-flash', contents: 'hi' })).totalTokens, 11)
  const models = await collect(await client.models.list())
  t.ok(models.some((model) => model.name === 'models/gemini-2.5-flash'))
})

t.test('R3.8 a Gemini stream ends with its finish reason, as SSE and as one array', async (t) => {
  const { client, simulator } = await start(t)
  const chunks = await collect(await client.models.generateContentStream({ model: 'gemini-2.5-flash', contents: 'hi' }))
  t.equal(chunks.map((chunk) => chunk.text ?? '').join(''), 'Hello from gemini gemini-2.5-flash.')
  t.equal(chunks.at(-1)?.candidates?.[0]?.finishReason, 'STOP')
  for (const base of ['/v1beta', '/v1', '']) {
    const url = `${simulator.url}${base}/models/gemini-2.5-flash:streamGenerateContent?key=AIza-good`
    const response = await fetch(url, { method: 'POST', body: '{"contents":[{"parts":[{"text":"hi"}]}]}' })
    t.match(await response.json(), [{ candidates: [{ content: { parts: [{ text: 'Hello ' }] } }] }])
  }
})

t.test('R3.8 a call of Gemini 3 is signed, and wants its signature back', async (t) => {
  const { client } = await start(t)
  const ask = (contents: object[]) =>
    client.models.generateContent({ model: 'gemini-3-pro', contents, config: { tools } })
  const user = { role: 'user', parts: [{ text: 'USETOOL' }] }
  const first = await ask([user])
  const call = first.candidates?.[0]?.content
  t.match(call?.parts, [
    {
      functionCall: { name: 'get_weather', args: { city: 'Paris' } },
      thoughtSignature: 'bW9jay1nZW1pbmktc2lnbmF0dXJl',
    },
  ])
  const result = { role: 'user', parts: [{ functionResponse: { name: 'get_weather', response: { output: 'sunny' } } }] }
  t.equal((await ask([user, call ?? {}, result])).text, 'Tool results: sunny')
  const unsigned = { role: 'model', parts: [{ functionCall: { name: 'get_weather', args: {} } }] }
  await t.rejects(ask([user, unsigned, result]), /missing a thought_signature/)
  const dummy = {
    role: 'model',
    parts: [{ ...unsigned.parts[0], thoughtSignature: 'skip_thought_signature_validator' }],
  }
  t.equal((await ask([user, dummy, result])).text, 'Tool results: sunny')
  t.equal(
    (await ask([user, unsigned, result, { role: 'model', parts: [{ text: 'done' }] }, user, call ?? {}, result])).text,
    'Tool results: sunny',
  )
})

t.test('R3.8 calling modes, schemas and images of Gemini', async (t) => {
  const { client } = await start(t)
  const toolConfig = { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY } }
  const forced = await client.models.generateContent({
    model: 'gemini-2.5-flash',
    contents: 'hi',
    config: { tools, toolConfig },
  })
  t.match(forced.functionCalls, [{ name: 'get_weather', args: { city: 'Paris' } }])
  const json = await client.models.generateContent({
    model: 'gemini-2.5-flash',
    contents: 'hi',
    config: {
      responseMimeType: 'application/json',
      responseJsonSchema: { type: 'object', properties: { city: { type: 'string' } } },
    },
  })
  t.equal(json.text, '{"city":"Paris"}')
  const image = { inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } }
  const seen = await client.models.generateContent({
    model: 'gemini-2.5-flash',
    contents: [{ role: 'user', parts: [image] }],
  })
  t.equal(seen.text, 'Hello from gemini gemini-2.5-flash. image seen')
})

t.test('R3.8 Gemini embeds one text and many', async (t) => {
  const { client, simulator } = await start(t)
  const many = await client.models.embedContent({
    model: 'text-embedding-004',
    contents: ['a', 'b'],
    config: { outputDimensionality: 4 },
  })
  t.strictSame(many.embeddings?.[0]?.values, [0.53125, -0.875, -0.296875, 0.28125])
  t.equal(many.embeddings?.length, 2)
  const response = await fetch(`${simulator.url}/v1beta/models/text-embedding-004:embedContent`, {
    method: 'POST',
    headers: { 'x-goog-api-key': 'AIza-good' },
    body: '{"content":{"parts":[{"text":"a"}]},"outputDimensionality":2}',
  })
  t.strictSame(await response.json(), { embedding: { values: [0.53125, -0.875] } })
})

t.test('R3.8 failures speak Google: a bad key is a 400, the wait stands in the body', async (t) => {
  const { client, simulator } = await start(t)
  const errorOf = async (model: string, with_ = client) => {
    const error = await with_.models.generateContent({ model, contents: 'hi' }).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    if (!(error instanceof ApiError)) throw new Error('no ApiError', { cause: error })
    return { status: error.status, text: error.message }
  }
  const bad = new GoogleGenAI({ apiKey: 'bad-key', httpOptions: { baseUrl: simulator.url } })
  t.match(await errorOf('gemini-2.5-flash', bad), { status: 400, text: /API_KEY_INVALID/ })
  t.match(await errorOf('gemini-2.5-flash--429r37'), { status: 429, text: /"retryDelay":"37s"/ })
  t.match(await errorOf('gemini-2.5-flash--quota'), { status: 429, text: /PerDay/ })
  t.match(await errorOf('gemini-2.5-flash--toolong'), { status: 400, text: /exceeds the maximum number of tokens/ })
  t.match(await errorOf('gemini-2.5-flash--503'), { status: 503, text: /UNAVAILABLE/ })
  t.match(await errorOf('missing'), { status: 404, text: /NOT_FOUND/ })
  const filtered = await client.models.generateContent({ model: 'gemini-2.5-flash--filter', contents: 'hi' })
  t.equal(filtered.candidates?.[0]?.finishReason, 'SAFETY')
  const blocked = await client.models.generateContent({ model: 'gemini-2.5-flash--blocked', contents: 'hi' })
  t.strictSame([blocked.candidates, blocked.promptFeedback?.blockReason], [undefined, 'PROHIBITED_CONTENT'])
  const array = await fetch(`${simulator.url}/v1beta/models/missing:streamGenerateContent?key=k`, {
    method: 'POST',
    body: '{}',
  })
  t.match(await array.json(), [{ error: { code: 404 } }])
  const stream = await client.models.generateContentStream({ model: 'gemini-2.5-flash--errorevent', contents: 'hi' })
  await t.rejects(collect(stream), /overloaded/)
})

t.test('R3.8 Gemini refuses what its API refuses', async (t) => {
  const { simulator } = await start(t)
  const post = async (body: unknown, model = 'gemini-2.5-flash') => {
    const url = `${simulator.url}/v1beta/models/${model}:generateContent`
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'x-goog-api-key': 'k' },
      body: JSON.stringify(body),
    })
    // The shape of Google's errors.
    const { error } = (await response.json()) as { error?: { message: string } }
    return `${response.status} ${error?.message ?? 'ok'}`
  }
  const user = { role: 'user', parts: [{ text: 'hi' }] }
  const call = {
    role: 'model',
    parts: [{ functionCall: { name: 'f', args: {} } }, { functionCall: { name: 'g', args: {} } }],
  }
  const result = (name: string) => ({ functionResponse: { name, response: { output: 'x' } } })
  const withParameters = (parameters: unknown) => ({
    contents: [user],
    tools: [{ functionDeclarations: [{ name: 'f', parameters }] }],
  })
  const cases: [unknown, RegExp][] = [
    [{}, /^400 .*contents is not specified/],
    [{ contents: [user], messages: [] }, /^400 .*Unknown name "messages": Cannot find field/],
    [
      { contents: [user], generationConfig: { max_tokens: 5 } },
      /^400 .*Unknown name "max_tokens" at 'generation_config'/,
    ],
    [{ contents: [{ role: 'assistant', parts: [{ text: 'x' }] }] }, /^400 Please use a valid role: user, model\./],
    [{ contents: [{ role: 'user', parts: [] }] }, /^400 .*parts must not be empty/],
    [{ contents: [{ role: 'user', parts: [{}] }] }, /^400 .*required oneof field 'data'/],
    [
      { contents: [user, call, { role: 'user', parts: [result('f')] }] },
      /^400 Please ensure that the number of function response parts is equal/,
    ],
    [{ contents: [call] }, /^400 Please ensure that function call turn comes immediately after a user turn/],
    [
      { contents: [{ role: 'user', parts: [result('f')] }] },
      /^400 Please ensure that function response turn comes immediately after/,
    ],
    [
      { contents: [user, { role: 'model', parts: [{ functionCall: { name: 'f', args: '{}' } }] }] },
      /^400 Invalid value at .*function_call\.args.*Struct/,
    ],
    [
      {
        contents: [
          user,
          { role: 'model', parts: [call.parts[0]] },
          { role: 'user', parts: [{ functionResponse: { name: 'f', response: 'x' } }] },
        ],
      },
      /^400 Invalid value at .*Struct/,
    ],
    [
      withParameters({ type: 'object', properties: { a: { type: 'string' } }, additionalProperties: false }),
      /^400 .*Unknown name "additionalProperties" at 'tools\[0\]/,
    ],
    [
      withParameters({ type: 'object', properties: { a: { type: ['string', 'null'] } } }),
      /^400 .*Proto field is not repeating/,
    ],
    [withParameters({ type: 'object', properties: {} }), /^400 .*should be non-empty for OBJECT type/],
    [withParameters({ type: 'object', properties: { a: { type: 'array' } } }), /^400 .*items: missing field/],
    [
      withParameters({ type: 'object', properties: { a: { type: 'string', format: 'email' } } }),
      /^400 .*only 'enum' and 'date-time' are supported/,
    ],
    [
      withParameters({ type: 'object', properties: { a: { type: 'string', enum: [1] } } }),
      /^400 Invalid value at .*enum\[0\]/,
    ],
    [
      withParameters({ type: 'object', properties: { a: { type: 'string' } }, required: ['b'] }),
      /^400 .*required\[0\]: property is not defined/,
    ],
    [
      { contents: [user], generationConfig: { stopSequences: ['1', '2', '3', '4', '5', '6'] } },
      /^400 .*at most 5 stop sequences/,
    ],
    [
      { contents: [user], generationConfig: { thinkingConfig: { thinkingBudget: 1, thinkingLevel: 'low' } } },
      /^400 You can only set one of thinking budget and thinking level/,
    ],
    [
      {
        contents: [user],
        generationConfig: { responseSchema: { type: 'OBJECT', properties: { a: { type: 'STRING' } } } },
      },
      /^400 .*only allowed for response_mime_type/,
    ],
    [
      {
        ...withParameters({ type: 'object', properties: { a: { type: 'string' } } }),
        generationConfig: { responseMimeType: 'application/json' },
      },
      /^400 Function calling with a response mime type/,
    ],
  ]
  for (const [body, expected] of cases) t.match(await post(body), expected)
  t.equal(
    await post({
      contents: [user, call, { role: 'user', parts: [result('f'), result('g')] }],
      generation_config: { max_output_tokens: 50 },
    }),
    '200 ok',
  )
  t.equal((await fetch(`${simulator.url}/v1beta/models`)).status, 403)
})

import t from 'tap'
import { startSimulator } from '#simulator/simulator.ts'

/** Each chat-like format: where it is, and what asks it for a stream. */
const FORMATS: Record<string, { path: (model: string) => string; body: object }> = {
  chat: { path: () => '/v1/chat/completions', body: { stream: true, messages: [{ role: 'user', content: 'hi' }] } },
  responses: { path: () => '/v1/responses', body: { stream: true, input: 'hi' } },
  completions: { path: () => '/v1/completions', body: { stream: true, prompt: 'hi' } },
  messages: {
    path: () => '/v1/messages',
    body: { stream: true, max_tokens: 99, messages: [{ role: 'user', content: 'hi' }] },
  },
  gemini: {
    path: (model) => `/v1beta/models/${model}:streamGenerateContent?alt=sse`,
    body: { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] },
  },
  ollama: { path: () => '/api/chat', body: { messages: [{ role: 'user', content: 'hi' }] } },
}

/** What the last bytes of the stream look like. */
const ENDINGS: Record<string, Record<string, RegExp>> = {
  complete: {
    chat: /"finish_reason":"stop".*\n\ndata: \[DONE\]\n\n$/,
    responses: /event: response\.completed\ndata: \{"type":"response\.completed",.*\}\n\n$/,
    completions: /"finish_reason":"stop".*\n\ndata: \[DONE\]\n\n$/,
    messages:
      /event: message_delta\ndata: .*"stop_reason":"end_turn".*\n\nevent: message_stop\ndata: \{"type":"message_stop"\}\n\n$/,
    gemini: /"finishReason":"STOP".*\r\n\r\n$/,
    ollama: /"done":true,"done_reason":"stop".*\n$/,
  },
  noterm: {
    chat: /"finish_reason":"stop"\}\].*\n\n$/,
    responses: /event: response\.completed\ndata: .*\n\n$/,
    completions: /"finish_reason":"stop"\}\]\}\n\n$/,
    messages: /"stop_reason":"end_turn".*\n\n$/,
    gemini: /"finishReason":"STOP".*\r\n\r\n$/,
    ollama: /"done":true.*\}$/,
  },
  cleancut: {
    chat: /"content":"m\."\}.*\n\n$/,
    responses: /event: response\.output_item\.done\ndata: .*\n\n$/,
    completions: /"text":"m\.".*\n\n$/,
    messages: /event: content_block_stop\ndata: \{"type":"content_block_stop","index":0\}\n\n$/,
    gemini: /"text":"m\.".*\r\n\r\n$/,
    ollama: /"content":"m\."\},"done":false\}\n$/,
  },
  errorevent: {
    chat: /"content":"from ".*\n\ndata: \{"error":\{"message":"Overloaded\.".*\}\}\n\n$/,
    responses:
      /event: error\ndata: \{"type":"error","code":"overloaded","message":"Overloaded\.","param":null,"sequence_number":6\}\n\n$/,
    completions: /data: \{"error":\{.*\}\}\n\n$/,
    messages:
      /event: error\ndata: \{"type":"error","error":\{"type":"overloaded_error","message":"Overloaded"\},"request_id":"req_mock\d+"\}\n\n$/,
    gemini:
      /data: \{"error":\{"code":503,"message":"The model is overloaded\. Please try again later\.","status":"UNAVAILABLE"\}\}\r\n\r\n$/,
    ollama: /\n\{"error":"server busy, please try again\. {2}maximum pending requests exceeded"\}\n$/,
  },
  failedevent: {
    responses: /event: response\.failed\ndata: .*"status":"failed","error":\{"code":"server_error".*\n\n$/,
  },
  length: {
    chat: /"finish_reason":"length"/,
    responses: /event: response\.incomplete\ndata: .*"incomplete_details":\{"reason":"max_output_tokens"\}/,
    messages: /"stop_reason":"max_tokens"/,
    gemini: /"finishReason":"MAX_TOKENS"/,
    ollama: /"done_reason":"length"/,
  },
}

for (const [ending, formats] of Object.entries(ENDINGS)) {
  t.test(`R3.8 a stream with the ending "${ending}", in every format that has it`, async (t) => {
    const simulator = await startSimulator({ clock: () => 1_800_000_000_000 })
    t.teardown(() => simulator.close())
    for (const [name, expected] of Object.entries(formats)) {
      const format = FORMATS[name]
      if (format === undefined) throw new Error(name)
      const model = ending === 'complete' ? 'm' : `m--${ending}`
      const response = await fetch(simulator.url + format.path(model), {
        method: 'POST',
        headers: { authorization: 'Bearer k', 'anthropic-version': '2023-06-01' },
        body: JSON.stringify({ ...format.body, ...(name === 'gemini' ? {} : { model }) }),
      })
      t.match(await response.text(), expected, name)
    }
  })
}

import t from 'tap'
import type { TargetModel } from '#formats/format.ts'
import type { ChatRequest, JsonObject, UserPart } from '#formats/ir/chat-request.ts'
import { encodeOllamaChatRequest } from '#formats/ollama-chat/encode-request.ts'
import { ollamaChat } from '#formats/ollama-chat/ollama-chat.ts'
import { golden } from '../../helpers/golden.ts'

const TARGET: TargetModel = { id: 'm', issuer: 'ollama', capabilities: {}, quirks: { onUnsupported: 'Error' } }
const EMPTY: ChatRequest = ollamaChat.decodeRequest({ model: 'm', messages: [{ role: 'user', content: 'hi' }] }, {})

t.test('R3.3 requests become the intermediate form', (t) => {
  golden(t, new URL('../requests/ollama-chat/', import.meta.url), 'ir', (body) =>
    // Golden inputs are JSON objects.
    ollamaChat.decodeRequest(body as JsonObject, {}),
  )
  t.end()
})

t.test('R3.3 a request of another format is written for Ollama', (t) => {
  golden(t, new URL('../encode/ollama-chat/', import.meta.url), 'body', (input) => {
    // Golden inputs hold a request and its target.
    const { request, target } = input as { request: ChatRequest; target: TargetModel }
    const { body, dropped } = encodeOllamaChatRequest(request, target)
    return { body, dropped }
  })
  t.end()
})

t.test('R8.1 a request without messages, or with a role that is not known, names the field', (t) => {
  t.throws(() => ollamaChat.decodeRequest({ model: 'm', messages: [] }, {}), { code: 'KP-SYS-516' })
  t.throws(() => ollamaChat.decodeRequest({ model: 'm' }, {}), { message: /^messages: / })
  const robot = { model: 'm', messages: [{ role: 'robot', content: 'x' }] }
  t.throws(() => ollamaChat.decodeRequest(robot, {}), { message: /^messages\[0\]\.role: / })
  t.end()
})

t.test('R3.4 media that Ollama cannot be given is refused: nothing is fetched for it', (t) => {
  const refused: UserPart[] = [
    { type: 'image', source: { kind: 'url', url: 'https://example.com/a.png' } },
    { type: 'image', source: { kind: 'file', id: 'file-1' } },
    { type: 'document', source: { kind: 'base64', mediaType: 'application/pdf', data: 'JVBERi0=' } },
    { type: 'audio', source: { kind: 'base64', mediaType: 'audio/wav', data: 'UklGRg==' } },
  ]
  for (const part of refused) {
    const request: ChatRequest = { ...EMPTY, turns: [{ role: 'user', parts: [part] }] }
    t.throws(() => encodeOllamaChatRequest(request, TARGET), { code: 'KP-PROV-112' }, JSON.stringify(part))
  }
  t.end()
})

t.test('R8.1 a text file whose base64 is none names the fault', (t) => {
  const source = { kind: 'base64' as const, mediaType: 'text/plain', data: '###' }
  const request: ChatRequest = { ...EMPTY, turns: [{ role: 'user', parts: [{ type: 'document', source }] }] }
  t.throws(() => encodeOllamaChatRequest(request, TARGET), { code: 'KP-SYS-516', message: /not base64/ })
  t.end()
})

t.test('R3.4 more than one answer is refused unless the policy drops it', (t) => {
  const request = { ...EMPTY, sampling: { n: 2 } }
  t.throws(() => encodeOllamaChatRequest(request, TARGET), { code: 'KP-PROV-112' })
  const drop = { ...TARGET, quirks: { onUnsupported: 'Drop' as const } }
  t.same(encodeOllamaChatRequest(request, drop).dropped, ['n'])
  t.end()
})

t.test('thinking is asked only of models that are known to think, for others answer 400', (t) => {
  const think = (capabilities: TargetModel['capabilities'], reasoning: ChatRequest['reasoning']) =>
    encodeOllamaChatRequest({ ...EMPTY, reasoning }, { ...TARGET, capabilities }).body['think']
  t.equal(think({ reasoning: true }, { effort: 'low' }), true)
  t.equal(think({ reasoning: true }, { adaptive: true }), true)
  t.equal(think({ reasoning: true, thinkingLevel: true }, { effort: 'xhigh' }), 'high')
  t.equal(think({}, { effort: 'low' }), undefined)
  t.equal(think({}, { effort: 'none' }), false)
  t.equal(think({ reasoning: false }, { effort: 'none' }), undefined)
  t.equal(think({ reasoning: true }, undefined), undefined)
  t.equal(think({ reasoning: true }, { includeThoughts: true }), undefined)
  t.end()
})

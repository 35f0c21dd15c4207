import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { ChatFormatName, TargetModel } from '#formats/format.ts'
import type { JsonObject } from '#formats/ir/chat-request.ts'
import { CHAT_FORMATS } from '#formats/registry.ts'
import { type Simulator, startSimulator } from '#simulator/simulator.ts'
import { OTHER_TARGETS, TARGETS, type Target } from './targets.ts'

const REQUESTS = new URL('requests/', import.meta.url)
// The names of the registry's members.
const CLIENTS = Object.keys(CHAT_FORMATS) as ChatFormatName[]

interface Translation {
  readonly body?: JsonObject
  readonly dropped?: readonly string[]
  readonly refused?: { readonly code: string; readonly message: string }
}

function cases(client: ChatFormatName): { name: string; body: JsonObject }[] {
  return readdirSync(new URL(`${client}/`, REQUESTS))
    .filter((file) => file.endsWith('.in.json'))
    .map((file) => ({
      name: file.replace('.in.json', ''),
      body: JSON.parse(readFileSync(new URL(`${client}/${file}`, REQUESTS), 'utf8')),
    }))
}

/** What the gateway does between two wires. */
function translate(client: ChatFormatName, body: JsonObject, { format, model }: Target): Translation {
  try {
    const path = client === 'gemini' ? { model: 'alias', stream: true } : {}
    const request = CHAT_FORMATS[client].decodeRequest(body, path)
    const encoded = format.encodeRequest?.({ ...request, model: model.id }, model)
    if (encoded === undefined) throw new Error(`${format.name} is no target`)
    return { body: encoded.body, dropped: [...request.dropped, ...encoded.dropped] }
  } catch (error) {
    if (!(error instanceof KorProxyError)) throw error
    return { refused: { code: error.code, message: error.message } }
  }
}

async function judge(simulator: Simulator, target: Target, body: JsonObject): Promise<string> {
  const url = simulator.url + target.path(body['stream'] === true)
  const headers = { 'content-type': 'application/json', ...target.headers }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  const text = await response.text()
  return response.status === 200 ? '200' : `${response.status} ${text}`
}

for (const client of CLIENTS) {
  t.test(
    `R3.3 a request of ${client} is written for every target as its file says, and the provider takes it`,
    async (t) => {
      const simulator = await startSimulator()
      t.teardown(() => simulator.close())
      for (const { name, body } of cases(client)) {
        for (const [title, target] of Object.entries(TARGETS)) {
          const translation = translate(client, body, target)
          const file = new URL(`${client}/${name}.${title}.json`, REQUESTS)
          const actual = `${JSON.stringify(translation, null, 2)}\n`
          if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, actual)
          t.equal(actual, readFileSync(file, 'utf8'), `${client}/${name} → ${title}`)
          if (translation.body !== undefined)
            t.equal(await judge(simulator, target, translation.body), '200', `${name} → ${title}`)
        }
      }
    },
  )

  t.test(`R3.3 a request of ${client} is taken by other models too, or refused with a reason`, async (t) => {
    const simulator = await startSimulator()
    t.teardown(() => simulator.close())
    for (const { name, body } of cases(client)) {
      for (const [title, target] of Object.entries(OTHER_TARGETS)) {
        for (const onUnsupported of ['Drop', 'Error'] as const) {
          const model: TargetModel = { ...target.model, quirks: { ...target.model.quirks, onUnsupported } }
          const { body: encoded, refused } = translate(client, body, { ...target, model })
          const verdict = encoded === undefined ? refused?.code : await judge(simulator, target, encoded)
          t.match(
            verdict,
            /^(200|KP-PROV-112|KP-SYS-516)$/,
            `${client}/${name} → ${title}, ${onUnsupported}: ${refused?.message ?? ''}`,
          )
        }
      }
    }
  })
}

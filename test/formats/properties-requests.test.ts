import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { ChatFormat, ChatFormatName } from '#formats/format.ts'
import type { JsonObject } from '#formats/ir/chat-request.ts'
import { CHAT_FORMATS, EMBEDDING_FORMATS } from '#formats/registry.ts'
import { jsonWith, memberNames, mutate, SEED, steps } from './pairs/mutate.ts'
import { OTHER_TARGETS, TARGETS } from './pairs/targets.ts'

const MODELS = Object.values({ ...TARGETS, ...OTHER_TARGETS })

/** Every request body in the test folders of this format. */
function corpus(format: ChatFormatName): JsonObject[] {
  return ['./pairs/requests/', './requests/'].flatMap((root) => {
    const folder = new URL(`${root}${format}/`, import.meta.url)
    const names = root === './requests/' && !FOLDERS.has(format) ? [] : readdirSync(folder)
    return names
      .filter((name) => name.endsWith('.in.json'))
      .map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')))
  })
}
const FOLDERS = new Set(readdirSync(new URL('./requests/', import.meta.url)))

/** Throws anything but the client's own mistake. */
function onlyClientErrors(run: () => unknown): void {
  try {
    run()
  } catch (error) {
    if (!(error instanceof KorProxyError) || error.status < 400 || error.status > 499) throw error
  }
}

function translateToAll(format: ChatFormat, body: JsonObject): void {
  onlyClientErrors(() => {
    const request = format.decodeRequest(body, format.name === 'gemini' ? { model: 'alias', stream: true } : {})
    for (const target of MODELS) {
      for (const onUnsupported of ['Drop', 'Error'] as const) {
        const model = { ...target.model, quirks: { ...target.model.quirks, onUnsupported } }
        onlyClientErrors(() =>
          JSON.stringify(target.format.encodeRequest?.({ ...request, model: model.id }, model).body),
        )
      }
    }
  })
}

// The names of the registry's members.
for (const name of Object.keys(CHAT_FORMATS) as ChatFormatName[]) {
  const bodies = corpus(name)

  t.test(
    `R3.3 property: an almost right request of ${name} is translated for every target or refused as the client’s mistake`,
    (t) => {
      fc.assert(
        fc.property(fc.constantFrom(...bodies), steps, (body, blows) =>
          translateToAll(CHAT_FORMATS[name], mutate(body, blows)),
        ),
        { seed: SEED, numRuns: 1_500 },
      )
      t.end()
    },
  )

  t.test(`R3.3 property: any JSON as a request of ${name} is translated or refused as the client’s mistake`, (t) => {
    const base = bodies[0] ?? {}
    fc.assert(
      fc.property(jsonWith(memberNames(bodies)), fc.boolean(), (json, grown) =>
        translateToAll(CHAT_FORMATS[name], grown ? { ...base, ...json } : json),
      ),
      { seed: SEED, numRuns: 1_500 },
    )
    t.end()
  })
}

const EMBEDDINGS: JsonObject[] = [
  { model: 'm', input: ['a', 'b'], dimensions: 8, encoding_format: 'base64', user: 'u' },
  { model: 'm', input: [[1, 2], [3]] },
  { model: 'm', content: { parts: [{ text: 'a' }] }, taskType: 'RETRIEVAL_QUERY', title: 't', outputDimensionality: 8 },
  { requests: [{ model: 'models/m', content: { parts: [{ text: 'a' }] }, outputDimensionality: 8 }] },
  { model: 'm', input: 'a', truncate: false, options: { num_ctx: 1 }, keep_alive: '5m' },
  { model: 'm', prompt: 'a' },
]

t.test(
  'R3.3 property: any embedding request is translated for every format or refused as the client’s mistake',
  (t) => {
    const formats = Object.values(EMBEDDING_FORMATS)
    const target = { id: 'e', issuer: 'x', capabilities: {}, quirks: { onUnsupported: 'Error' as const } }
    fc.assert(
      fc.property(fc.constantFrom(...formats), fc.constantFrom(...EMBEDDINGS), steps, (format, body, blows) => {
        onlyClientErrors(() => {
          const request = format.decodeRequest(mutate(body, blows), { model: 'm' })
          for (const upstream of formats)
            onlyClientErrors(() => JSON.stringify(upstream.encodeRequest(request, target).body))
        })
      }),
      { seed: SEED, numRuns: 2_000 },
    )
    t.end()
  },
)

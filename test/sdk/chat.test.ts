import t from 'tap'
import { type Stack, startStack } from '../helpers/stack.ts'
import { CHAT_CLIENTS } from './clients/all.ts'
import type { Connection } from './clients/chat-client.ts'
import { CLIENT_KEY, MOCK, manifests, UPSTREAMS, type Upstream } from './upstreams.ts'

const ALL: readonly Upstream[] = [...UPSTREAMS, MOCK]

const stack: Stack = await startStack(t, manifests(ALL))
const connection: Connection = { url: stack.url, key: CLIENT_KEY }

t.strictSame(stack.standalone.problems(), [], 'the configuration is sound')

for (const client of CHAT_CLIENTS) {
  for (const { name, model, label } of ALL) {
    t.test(`R14.1 ${client.name} at ${name}`, async (t) => {
      const asked = `${name}-chat`
      const greeting = `Hello from ${label} ${model}.`
      const said = { text: greeting, finish: client.words.stop, input: 11, output: 7 }

      await t.test('text', async (t) => t.strictSame(await client.text(connection, asked), said))
      await t.test('stream', async (t) => t.strictSame(await client.stream(connection, asked), said))

      const takesObjects = name === 'google' || name === 'mock'
      const result = (tool: string, text: string): string =>
        client.shownResult === undefined || takesObjects ? text : client.shownResult(tool, text)
      const weather = result('get_weather', 'get_weather of Paris')
      const time = result('get_time', 'get_time of London')

      const oneCall = {
        calls: [['get_weather', { city: 'Paris' }]],
        finish: client.words.tools,
        text: `Tool results: ${weather}`,
      }
      await t.test('a tool in two turns', async (t) =>
        t.strictSame(await client.tools(connection, asked, 'USETOOL'), oneCall),
      )
      await t.test('a tool in two turns, streamed', async (t) =>
        t.strictSame(await client.streamTools(connection, asked, 'USETOOL'), oneCall),
      )

      const twoCalls = {
        calls: [
          ['get_weather', { city: 'Paris' }],
          ['get_time', { city: 'London' }],
        ],
        finish: client.words.tools,
        text: `Tool results: ${weather} | ${time}`,
      }
      await t.test('parallel tools', async (t) =>
        t.strictSame(await client.tools(connection, asked, 'USETOOLS2'), twoCalls),
      )
      await t.test('parallel tools, streamed', async (t) =>
        t.strictSame(await client.streamTools(connection, asked, 'USETOOLS2'), twoCalls),
      )

      await t.test('an image', async (t) => t.equal(await client.image(connection, asked), `${greeting} image seen`))
      await t.test('JSON by schema', async (t) => {
        if (client.forcesJsonTool && name === 'ollama')
          await t.rejects(client.person(connection, asked), /could not parse/)
        else t.strictSame(await client.person(connection, asked), { name: 'x', age: 1 })
      })
    })
  }
}

t.test('S4 every provider got its own key, none the key of the client', async (t) => {
  const requests = stack.simulator.requests()
  t.ok(requests.length > 0)
  const leaks = requests.filter(({ path, rawHeaders, body }) =>
    [path, ...rawHeaders, Buffer.from(body).toString()].some((text) => text.includes(CLIENT_KEY)),
  )
  t.strictSame(leaks, [])
  const keys = new Set(requests.map(({ key }) => key))
  t.strictSame([...keys].sort(), ALL.map(({ name }) => `sk-${name}`).sort())
})

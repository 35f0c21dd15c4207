import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { globSync, readdirSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { compile } from '../src/compile/compile.ts'
import { readFolder } from '../src/controller/sources/folder.ts'
import { formatProblem } from '../src/controller/sources/format-problem.ts'
import { codeBlocks, curlCommands, parseCurl } from './helpers/curl.ts'
import { type Stack, startStack } from './helpers/stack.ts'

const GATEWAY = 'http://127.0.0.1:1337'
const README = readFileSync('README.md', 'utf8')
const EXAMPLES = readdirSync('examples', { withFileTypes: true }).filter((entry) => entry.isDirectory())

/** What a folder says is wrong, besides credentials that this machine does not have. */
async function problemsOf(folder: string): Promise<string[]> {
  const set = await readFolder(folder, { namespace: 'default', environment: {} })
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
  const { problems } = compile(set, { defaultNamespace: 'default', sha256 })
  const all = [...set.problems, ...problems]
  return all.filter(({ path }) => path !== 'spec.auth.valueFrom').map(formatProblem)
}

/** The manifests of an example, its simulator at the test's own port. */
function startExample(t: Test, name: string): Promise<Stack> {
  const manifests = globSync(`examples/${name}/*.yaml`).sort()
  const text = manifests.map((path) => readFileSync(path, 'utf8')).join('\n---\n')
  return startStack(t, text.replace('provider: Mock', 'provider: Mock\n  baseURL: "{simulator}"'))
}

function send(stack: Stack, command: string): Promise<Response> {
  const { url, init } = parseCurl(command.replaceAll(GATEWAY, stack.url))
  return fetch(url, init)
}

for (const { name } of EXAMPLES) {
  t.test(`the example ${name} has no problem but missing credentials`, async (t) => {
    t.strictSame(await problemsOf(`examples/${name}`), [])
  })
}

/** Manifests of a page: YAML blocks, and what its shell blocks hand to `kubectl apply`. */
function manifestsOf(page: string): string[] {
  const text = readFileSync(page, 'utf8')
  const documents = codeBlocks(text, 'sh').flatMap((code) => [...code.matchAll(/<<'EOF'\n(.*?)^EOF$/gms)])
  return [...codeBlocks(text, 'yaml'), ...documents.map(([, manifest = '']) => manifest)].filter((manifest) =>
    /^apiVersion: korproxy\.dev\//m.test(manifest),
  )
}

t.test('every manifest that a page shows is valid, but for Secrets that are made otherwise', async (t) => {
  const found = globSync(['README.md', 'CONTRIBUTING.md', 'docs/**/*.md', 'charts/**/*.md']).flatMap((page) =>
    manifestsOf(page).map((manifest) => ({ page, manifest })),
  )
  t.ok(found.length >= 6, 'there are manifests')
  for (const { page, manifest } of found) {
    const folder = t.testdir({ 'page.yaml': manifest })
    const problems = await problemsOf(folder)
    t.strictSame(
      problems.filter((problem) => !/ KP-CONF-(?:206|218) /.test(problem)),
      [],
      page,
    )
  }
})

t.test('every curl command of the README and the quick start is answered', async (t) => {
  const stack = await startExample(t, 'quickstart')
  const commands = [README, readFileSync('docs/quickstart.md', 'utf8')].flatMap(curlCommands)
  t.ok(commands.length >= 2, 'there are commands')
  for (const command of commands) {
    const response = await send(stack, command)
    t.equal(response.status, 200, command)
    t.not((await response.text()).trim(), '', 'with an answer')
  }
})

t.test('the first request of the README says how it was routed', async (t) => {
  const stack = await startExample(t, 'quickstart')
  const response = await send(stack, curlCommands(README)[0] ?? '')
  t.match(await response.json(), { choices: [{ message: { role: 'assistant', content: String } }] })
  t.equal(response.headers.get('x-korproxy-profile'), 'default')
  t.equal(response.headers.get('x-korproxy-provider-group'), 'simulator')
  t.equal(response.headers.get('x-korproxy-account'), 'simulator')
})

t.test('every JavaScript program of the README runs', async (t) => {
  const stack = await startExample(t, 'quickstart')
  const programs = codeBlocks(README, 'js')
  t.equal(programs.length, 3, 'OpenAI, Anthropic, Gemini')
  for (const program of programs) {
    const code = program.replaceAll(GATEWAY, stack.url)
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code])
    t.not(stdout.trim(), '', program)
  }
})

t.test('the keys of the example clients-and-keys open what its README says', async (t) => {
  const stack = await startExample(t, 'clients-and-keys')
  const ask = async (path: string, body: object, key?: string): Promise<Response> => {
    const authorization = key === undefined ? {} : { authorization: `Bearer ${key}` }
    const headers = { 'content-type': 'application/json', ...authorization }
    return fetch(stack.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
  }
  const messages = [{ role: 'user', content: 'Hello' }]
  const [command = ''] = curlCommands(readFileSync('examples/README.md', 'utf8'))
  const thrifty = await send(stack, command)
  t.equal(thrifty.status, 200)
  t.equal(thrifty.headers.get('x-korproxy-profile'), 'thrifty')
  t.equal(thrifty.headers.get('x-korproxy-model'), 'gpt-4o-mini')
  const chat = '/v1/chat/completions'
  const refused = [
    await ask(chat, { model: 'gpt-4o', messages }),
    await ask(chat, { model: 'claude-sonnet-4-5', messages }, 'kp-example-ci'),
    await ask('/v1/embeddings', { model: 'text-embedding-3-small', input: 'Hello' }, 'kp-example-ci'),
  ]
  t.strictSame(
    refused.map((response) => response.headers.get('x-korproxy-error')),
    ['KP-AUTH-001', 'KP-AUTH-005', 'KP-AUTH-006'],
  )
  const open = await ask(chat, { model: 'gpt-4o', messages }, 'kp-example-team-a')
  t.equal(open.headers.get('x-korproxy-profile'), 'default')
})

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import t from 'tap'
import { folderOf, runCli } from './run-cli.ts'

const FIXTURES = new URL('./import/fixtures/', import.meta.url)

function fixture(name: string): string {
  return readFileSync(new URL(name, FIXTURES), 'utf8')
}

t.test(
  'R4.9 a config.json of the desktop program becomes manifests, and what is missing is told with its place',
  async (t) => {
    const folder = folderOf(t, { 'config.json': fixture('desktop.json') })
    const { code, out, err } = await runCli(['config', 'import', `${folder}/config.json`])
    t.equal(code, 0)
    t.equal(out, fixture('desktop.expected.yaml'))
    t.equal(err.replaceAll(`${folder}/config.json`, 'desktop.json'), fixture('desktop.notes.txt'))
  },
)

t.test(
  'R4.9 a config.yaml of LiteLLM becomes manifests, and what has no counterpart is told with its place',
  async (t) => {
    const folder = folderOf(t, { 'config.yaml': fixture('litellm.yaml') })
    const { code, out, err } = await runCli(['config', 'import', '--from', 'litellm', `${folder}/config.yaml`])
    t.equal(code, 0)
    t.equal(out, fixture('litellm.expected.yaml'))
    t.equal(err.replaceAll(`${folder}/config.yaml`, 'litellm.yaml'), fixture('litellm.notes.txt'))
  },
)

t.test('R4.9 what was imported from LiteLLM is a valid configuration once its keys are there', async (t) => {
  const folder = folderOf(t, { 'imported.yaml': fixture('litellm.expected.yaml') })
  const keys = { OPENAI_API_KEY: 'a', AZURE_API_KEY: 'b', GEMINI_API_KEY: 'c', GROQ_API_KEY: 'd', VLLM_KEY: 'e' }
  t.strictSame(await runCli(['config', 'validate', folder], keys), {
    code: 0,
    out: `${folder}: valid: 7 ProviderAccounts, 4 ProviderGroups, 1 RoutingProfile, 1 GatewayClient, 1 ModelCatalog, 1 Secret\n`,
    err: '',
  })
  const { out } = await runCli(['explain', '--model', 'gpt-4', '--config', folder, '-o', 'json'], keys)
  t.strictSame(
    JSON.parse(out).groups.map(({ group, model, accounts }: Record<string, unknown>) => [group, model, accounts]),
    [
      [
        'gpt-4o',
        'gpt-4',
        [
          { account: 'openai', provider: 'OpenAI', upstreamModel: 'gpt-4o', verdict: 'ready' },
          { account: 'azure', provider: 'AzureOpenAI', upstreamModel: 'prod-gpt-4o', verdict: 'ready' },
        ],
      ],
      [
        'claude',
        'claude',
        [{ account: 'anthropic', provider: 'Anthropic', upstreamModel: 'claude-sonnet-4-5', verdict: 'ready' }],
      ],
      ['fast', 'fast', [{ account: 'openai', provider: 'OpenAI', upstreamModel: 'gpt-4o-mini', verdict: 'ready' }]],
    ],
  )
})

t.test('R4.9 invalid JSON is KP-CONF-216 with line and column, and nothing is written', async (t) => {
  const cases = [
    ['{\n  "profiles": [},\n}', '2:16'],
    ['{\n  "profiles": nonsense\n}', '2:16'],
    ['{"profiles": [', '1:15'],
    ['{"profiles": []} x', '1:18'],
  ] as const
  for (const [text, place] of cases) {
    const folder = folderOf(t, { 'config.json': text })
    const file = `${folder}/config.json`
    const { code, out, err } = await runCli(['config', 'import', file, '--output', `${folder}/new`])
    t.equal(code, 1)
    t.equal(out, '')
    t.equal(err.split('\n')[0], `korproxy: KP-CONF-216 ${file}:${place} is not valid JSON`)
    t.notOk(existsSync(`${folder}/new`))
  }
})

t.test('R4.9 invalid YAML, a wrong shape and an unknown file are KP-CONF-216 with their place', async (t) => {
  const cases = [
    ['model_list:\n  - a: [1\n', '3:1 is not valid YAML: '],
    ['model_list:\n  - model_name: x\n', '2:5 model_list[0].litellm_params: '],
    ['model_list: 7\n', '1:1 model_list: '],
    ['something: else\n', '1:1 is neither a config.json of the desktop program nor a config.yaml of LiteLLM'],
  ] as const
  for (const [text, message] of cases) {
    const folder = folderOf(t, { 'config.yaml': text })
    const { code, err } = await runCli(['config', 'import', `${folder}/config.yaml`])
    t.equal(code, 1)
    t.match(err, `korproxy: KP-CONF-216 ${folder}/config.yaml:${message}`)
  }
})

t.test('--strict writes nothing when something has no counterpart', async (t) => {
  const folder = folderOf(t, { 'config.json': fixture('desktop.json') })
  const { code, out, err } = await runCli([
    'config',
    'import',
    '--strict',
    `${folder}/config.json`,
    '--output',
    `${folder}/new`,
  ])
  t.equal(code, 1)
  t.equal(out, '')
  t.match(err, /: 12 notes; nothing was written, as --strict asks\n$/)
  t.notOk(existsSync(`${folder}/new`))
})

const COMPLETE = `{
  "version": 1,
  "providerGroups": [{"id": "g", "name": "Main", "accountIds": ["work"], "selectionStrategy": "round-robin"}],
  "profiles": [{"id": "p", "name": "Default", "routingRules": {}, "defaultProviderGroup": "g"}]
}`
const WORK = `apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: work}
spec: {provider: Mock}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: main}
spec: {accountRefs: [{name: work}], selectionStrategy: Sticky}
`

t.test('an import writes one file that only its owner reads', async (t) => {
  const folder = folderOf(t, { 'config.json': COMPLETE })
  const { code, out } = await runCli(['config', 'import', `${folder}/config.json`, '--output', `${folder}/new`])
  t.equal(code, 0)
  t.equal(out, `${folder}/new/imported.yaml: 3 objects, 1 note\n`)
  t.equal(statSync(`${folder}/new/imported.yaml`).mode & 0o777, 0o600)
})

t.test('a folder with manifests is left alone without --merge', async (t) => {
  const folder = folderOf(t, { 'work.yaml': WORK })
  const source = folderOf(t, { 'config.json': COMPLETE })
  const { code, err } = await runCli(['config', 'import', `${source}/config.json`, '--output', folder])
  t.equal(code, 2)
  t.match(err, `error: ${folder} has manifests already; --merge adds to them\n`)
  t.strictSame(readdirSync(folder), ['work.yaml'])
})

t.test('R4.9 --merge uses the accounts that are there and changes no object', async (t) => {
  const folder = folderOf(t, { 'work.yaml': WORK })
  const source = folderOf(t, { 'config.json': COMPLETE })
  const { code, out, err } = await runCli(['config', 'import', `${source}/config.json`, '--output', folder, '--merge'])
  t.equal(code, 0)
  t.equal(out, `${folder}/imported.yaml: 1 object, 1 note\n`)
  t.equal(err, `${source}/config.json KP-CONF-217 ProviderGroup main exists already and stays as it is\n`)
  t.equal(
    readFileSync(`${folder}/imported.yaml`, 'utf8'),
    `apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata:
  name: default
  annotations:
    korproxy.dev/imported-id: p
spec:
  displayName: Default
  defaultProviderGroup:
    name: main
`,
  )
  t.equal((await runCli(['config', 'validate', folder])).code, 0)
})

t.test('R4.9 an import that has nothing new writes no file', async (t) => {
  const folder = folderOf(t, { 'work.yaml': WORK })
  const source = folderOf(t, { 'config.json': COMPLETE })
  const again = ['config', 'import', `${source}/config.json`, '--output', folder, '--merge']
  await runCli(again)
  const { code, out } = await runCli(again)
  t.equal(code, 0)
  t.equal(out, `${folder}: everything is there already; nothing was written\n`)
  t.strictSame(readdirSync(folder), ['imported.yaml', 'work.yaml'])
})

t.test('R4.9 a file may begin with a byte order mark, as editors on Windows write it', async (t) => {
  const source = folderOf(t, { 'config.json': COMPLETE, 'marked.json': `\uFEFF${COMPLETE}` })
  const plain = await runCli(['config', 'import', `${source}/config.json`])
  const marked = await runCli(['config', 'import', `${source}/marked.json`])
  t.equal(marked.code, 0)
  t.equal(marked.out, plain.out)
})

t.test('R4.9 a note names the section of LiteLLM that the fallback stands in', async (t) => {
  const model = 'model_list:\n  - model_name: a\n    litellm_params: {model: openai/gpt-4o}\n'
  for (const section of ['litellm_settings', 'router_settings']) {
    const source = folderOf(t, {
      'config.yaml': `${model}router_settings:\n  num_retries: 2\n${section === 'router_settings' ? '' : `${section}:\n`}  fallbacks: [{a: [nowhere]}]\n`,
    })
    const { err } = await runCli(['config', 'import', `${source}/config.yaml`])
    const line = section === 'router_settings' ? 6 : 7
    t.equal(
      err,
      `${source}/config.yaml:${line}:3 KP-CONF-217 ${section}.fallbacks: nowhere is no imported model; this fallback was left out\n`,
    )
  }
})

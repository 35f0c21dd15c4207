import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { folderOf, runCli } from '../run-cli.ts'

const PAGE = readFileSync(new URL('../../../docs/migrate-from-litellm.md', import.meta.url), 'utf8')

function blocksOf(language: string): string[] {
  return [...PAGE.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))].map(([, text = '']) => text)
}

t.test('R4.9 the example of the page about LiteLLM is imported as it says, and is valid', async (t) => {
  const [config = '', manifests] = blocksOf('yaml')
  const [notes] = blocksOf('text')
  const folder = folderOf(t, { 'config.yaml': config })
  const output = join(folder, 'manifests')
  const { code, err } = await runCli(
    ['config', 'import', join(folder, 'config.yaml'), '--keys', 'secret', '--output', output],
    { LITELLM_MASTER_KEY: 'sk-1234' },
  )
  t.equal(code, 0)
  t.equal(err.replaceAll(`${folder}/`, ''), notes)
  t.equal(readFileSync(join(output, 'imported.yaml'), 'utf8'), manifests)

  // As the notes ask for.
  const secrets = ['openai', 'anthropic'].map(
    (name) => `---\napiVersion: v1\nkind: Secret\nmetadata: {name: ${name}}\nstringData: {apiKey: sk-x}\n`,
  )
  const complete = folderOf(t, { 'all.yaml': `${manifests}${secrets.join('')}` })
  t.match(await runCli(['config', 'validate', complete]), { code: 0, err: '' })
  const { out } = await runCli(['explain', '--model', 'gpt-4o', '--config', complete])
  t.match(out, /\n1\. Group gpt-4o, Random, asked for gpt-4o\n(.*\n)*\n2\. Group claude, Random, asked for claude\n/)
})

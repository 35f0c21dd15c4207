import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { GENERATED_DOCS_FOLDER, generatedDocs } from '../../../src/cli/generate/generated-docs.ts'
import { ERRORS } from '../../../src/errors/registry.ts'

const ROOT = new URL('../../../', import.meta.url)

t.test('R8.1 pages of errors, commands and metrics are what `npm run generate` would write', (t) => {
  const pages = generatedDocs()
  for (const [path, content] of pages) t.equal(readFileSync(new URL(path, ROOT), 'utf8'), content, path)
  const committed = readdirSync(new URL(GENERATED_DOCS_FOLDER, ROOT)).map((name) => `${GENERATED_DOCS_FOLDER}/${name}`)
  const made = [...pages.keys()].filter((path) => path.startsWith(GENERATED_DOCS_FOLDER))
  t.strictSame(committed.sort(), made.sort(), 'no leftover')
  t.end()
})

t.test('R8.1 every code has a page, and the list leads to it', (t) => {
  const pages = generatedDocs()
  const list = pages.get('docs/reference/errors/README.md') ?? ''
  for (const code of Object.keys(ERRORS)) {
    t.ok(pages.has(`docs/reference/errors/${code}.md`), code)
    t.match(list, `[${code}](${code}.md)`)
  }
  t.end()
})

t.test('R8.1 every entry says what to do, in whole sentences', (t) => {
  for (const [code, { description, fix }] of Object.entries(ERRORS)) {
    t.match(description, /\.$/, code)
    t.ok(fix.length > 0, code)
    for (const step of fix) t.match(step, /[.!]$/, code)
  }
  t.end()
})

t.test('R10.2 the page of commands has every option with its default, and no path of this machine', (t) => {
  const page = generatedDocs().get('docs/reference/cli.md') ?? ''
  t.match(page, '\n## korproxy config validate\n')
  t.match(page, '| `-o, --output <format>` | `table` | form of the result: `table`, `json`, `yaml` |\n')
  t.match(page, '| `--state-dir <path>` | `~/.local/state/korproxy` |')
  t.match(
    page,
    '| `--token <token>` |  | management token; absent: the one in the state directory; also `KORPROXY_TOKEN` |\n',
  )
  t.notMatch(page, process.env['HOME'] ?? '/root')
  t.end()
})

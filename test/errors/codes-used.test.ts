import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { ERRORS } from '#errors/registry.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const PAGES = `${ROOT}docs/reference/errors/`
const CODES = Object.keys(ERRORS)

/** Codes of parts that are still to come: the limits of a UsagePolicy, the dial guard at the time of configuration. */
const TO_COME = new Set(['KP-RATE-400', 'KP-RATE-401', 'KP-CONF-220'])

/** What names codes: the program, what is installed beside it, and what people read. */
const TEXTS = globSync(['src/**/*.ts', 'deploy/**/*', 'charts/**/*', 'docs/**/*.md', 'examples/**/*', 'README.md'], {
  cwd: ROOT,
}).filter((path) => /\.(?:ts|yaml|yml|md|tpl|txt)$/.test(path))

const mentions = new Map<string, string[]>()
for (const path of TEXTS) {
  for (const [code] of readFileSync(ROOT + path, 'utf8').matchAll(/\bKP-[A-Z]+-\d{3}\b/g)) {
    mentions.set(code, [...(mentions.get(code) ?? []), path])
  }
}

t.test('R8.1 every code is given by something: a row that nothing uses is a promise that nobody keeps', (t) => {
  const givers = (code: string): string[] =>
    (mentions.get(code) ?? []).filter(
      (path) => (path.startsWith('src/') && !path.startsWith('src/errors/')) || path.startsWith('deploy/'),
    )
  for (const code of CODES) {
    if (TO_COME.has(code)) t.equal(givers(code).length, 0, `${code} has come: take it off the list`)
    else t.not(givers(code).length, 0, code)
  }
  t.end()
})

t.test('R8.1 every code has a page, and there is no other page', (t) => {
  const index = readFileSync(`${PAGES}README.md`, 'utf8')
  for (const code of CODES) {
    t.ok(existsSync(`${PAGES}${code}.md`), `${code} has a page`)
    t.ok(index.includes(`(${code}.md)`), `${code} is in the list of pages`)
  }
  const pages = readdirSync(PAGES).filter((name) => name !== 'README.md')
  t.strictSame(pages.toSorted(), CODES.map((code) => `${code}.md`).toSorted())
  t.end()
})

t.test('R8.1 nothing names a code that does not exist', (t) => {
  for (const [code, paths] of mentions) t.ok(Object.hasOwn(ERRORS, code), `${code} in ${paths[0]}`)
  t.end()
})

/** Texts in quotes that have a code in them, outside of comments. */
function literalsWithCodes(path: string): string[] {
  const lines = readFileSync(ROOT + path, 'utf8').split('\n')
  return lines
    .filter((line) => !/^\s*(?:\/\*\*|\*|\/\/)/.test(line))
    .flatMap((line) => [...line.matchAll(/'([^'\n]*)'|`([^`\n]*)`/g)])
    .map(([, quoted, template]) => quoted ?? template ?? '')
    .filter((literal) => /KP-[A-Z]+-\d/.test(literal))
}

t.test('R8.1 a code stands by itself in the program: no message is written around it', (t) => {
  // Texts of the command line tell people which codes to expect.
  for (const path of TEXTS.filter((name) => name.startsWith('src/') && !/^src\/(?:errors|cli)\//.test(name))) {
    for (const literal of literalsWithCodes(path)) t.ok(Object.hasOwn(ERRORS, literal), `${path}: ${literal}`)
  }
  t.end()
})

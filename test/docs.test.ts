import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { ERRORS } from '../src/errors/registry.ts'

const PAGES = globSync(['*.md', '{bench,docs,examples,test}/**/*.md']).sort()

const LINE_LIMITS: readonly (readonly [pages: string, lines: number])[] = [
  ['CONTRIBUTING.md', 60],
  ['docs/architecture.md', 120],
  ['docs/decisions/*.md', 40],
]

/** A page without its code blocks: what stands there is no link. */
function proseOf(page: string): string {
  return readFileSync(page, 'utf8').replaceAll(/^```.*?^```/gms, '')
}

function linksOf(page: string): string[] {
  const prose = proseOf(page).replaceAll(/`[^`\n]*`/g, '')
  const targets = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
  return targets.filter((target) => !/^[a-z]+:/.test(target))
}

/** Anchors of a page as GitHub makes them. */
function anchorsOf(page: string): string[] {
  return [...proseOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

function isBroken(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? page : join(dirname(page), decodeURIComponent(path))
  if (!existsSync(target)) return true
  return anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).includes(anchor)
}

function offences(find: (page: string) => readonly string[]): string[] {
  return PAGES.flatMap((page) => find(page).map((found) => `${page}: ${found}`))
}

t.test('every relative link of the documentation leads somewhere', (t) => {
  t.strictSame(
    offences((page) => linksOf(page).filter((link) => isBroken(page, link))),
    [],
  )
  t.end()
})

t.test('R8.1 every error code that a page names exists', (t) => {
  const codes = new Set<string>(Object.keys(ERRORS))
  t.strictSame(
    offences((page) => {
      const named = readFileSync(page, 'utf8').match(/\bKP-[A-Z]+-\d{3}\b/g) ?? []
      return named.filter((code) => !codes.has(code))
    }),
    [],
  )
  t.end()
})

t.test('every npm script that a page names exists', (t) => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'))
  t.strictSame(
    offences((page) => {
      const named = [...readFileSync(page, 'utf8').matchAll(/\bnpm run ([a-z][a-z:-]*)/g)].map(([, name = '']) => name)
      return named.filter((name) => !Object.hasOwn(scripts, name))
    }),
    [],
  )
  t.end()
})

t.test('no page names a path of somebody’s machine', (t) => {
  t.strictSame(
    offences((page) => readFileSync(page, 'utf8').match(/(?<![\w.])\/(?:work|home|root|Users|tmp)\/\S*/g) ?? []),
    [],
  )
  t.end()
})

t.test('pages that must stay short are short', (t) => {
  const long = LINE_LIMITS.flatMap(([pages, limit]) => {
    const paths = globSync(pages)
    t.ok(paths.length > 0, pages)
    const counted = paths.map((path) => ({ path, lines: readFileSync(path, 'utf8').trimEnd().split('\n').length }))
    return counted.filter(({ lines }) => lines > limit)
  })
  t.strictSame(long, [])
  t.end()
})

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { compileSet, type Defaults, ownPart, readManifests, toldProblems } from './load-case.ts'

const CASES = new URL('./cases/', import.meta.url)
// The file is written by hand beside the cases.
const DEFAULTS = JSON.parse(readFileSync(new URL('defaults.json', CASES), 'utf8')) as Defaults
const UPDATE = process.env['UPDATE_GOLDEN'] === '1'

const names = readdirSync(CASES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)

t.ok(names.length >= 18, 'there are cases')

for (const name of names) {
  t.test(`${name}: manifests become this table and these problems`, async (t) => {
    const folder = new URL(`${name}/`, CASES)
    const { table, problems } = compileSet(await readManifests(readFileSync(new URL('in.yaml', folder), 'utf8')))
    const actual = {
      'table.json': `${JSON.stringify(ownPart(table, DEFAULTS), null, 2)}\n`,
      'problems.txt': toldProblems(problems),
    }
    for (const [file, text] of Object.entries(actual)) {
      const expected = new URL(file, folder)
      if (UPDATE) writeFileSync(expected, text)
      t.equal(text, readFileSync(expected, 'utf8'), file)
    }
  })
}

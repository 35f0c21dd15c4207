import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { parseManifests } from '../../src/controller/sources/manifest-file.ts'

const FOLDER = new URL('./corpus/', import.meta.url)

function manifestsOf(name: string) {
  return readdirSync(new URL(`${name}/`, FOLDER)).map((file) => ({
    file,
    text: readFileSync(new URL(`${name}/${file}`, FOLDER), 'utf8'),
  }))
}

t.test('R4.8 every good object is accepted', (t) => {
  const files = manifestsOf('good')
  for (const { file, text } of files) {
    const { objects, errors } = parseManifests(text, file, 'default')
    t.strictSame([errors, objects.flatMap(({ problems }) => problems)], [[], []], file)
    t.equal(objects.length, 1, file)
  }
  t.ok(files.length >= 30)
  t.end()
})

t.test('R4.8 every bad object is refused with the code and the field that it names', (t) => {
  const files = manifestsOf('bad')
  for (const { file, text } of files) {
    const [, code, path] = /^# expect (\S+) at ([^;\n]+)/.exec(text) ?? []
    const { objects, errors } = parseManifests(text, file, 'default')
    t.strictSame(errors, [], file)
    const problems = objects.flatMap((object) => object.problems).filter((problem) => problem.code !== 'KP-CONF-211')
    t.strictSame([...new Set(problems.map((problem) => `${problem.code} ${problem.path}`))], [`${code} ${path}`], file)
    t.equal(objects[0]?.resource, undefined, file)
  }
  t.ok(files.length >= 60)
  t.end()
})

t.test('R4.1 one of everything, as in the documentation, is accepted', (t) => {
  const file = 'all.yaml'
  const { objects, errors } = parseManifests(readFileSync(new URL(file, import.meta.url), 'utf8'), file, 'default')
  t.strictSame([errors, objects.flatMap(({ problems }) => problems)], [[], []])
  t.strictSame(
    objects.map(({ ref }) => `${ref.kind}/${ref.name}`),
    [
      'Secret/claude-main',
      'ProviderAccount/claude-main',
      'ProviderAccount/claude-spare',
      'ProviderAccount/gpu-box',
      'ProviderGroup/strong',
      'ProviderGroup/house',
      'RoutingProfile/work',
      'RoutingProfile/default',
      'Secret/builds-key',
      'GatewayClient/builds',
      'UsagePolicy/team',
      'ModelCatalog/base',
      'GatewayConfig/default',
    ],
  )
  t.end()
})

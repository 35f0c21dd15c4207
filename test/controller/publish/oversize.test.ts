import t from 'tap'
import { parseResource } from '../../../src/resources/parse-resource.ts'
import { manifestSet, manifests, startController } from '../../helpers/controller-rig.ts'

const HINT = { urgent: true, highWater: {} }

t.test('F26 a table of more than 32 MiB is not published, and status says so of what is too much', async (t) => {
  const controller = startController(t)
  const set = await manifestSet(t, manifests())
  controller.configure(set, HINT)
  const good = controller.published?.version
  const catalogs = Array.from({ length: 35 }, (_, catalog) => {
    const models = Array.from({ length: 500 }, (_, model) => ({
      name: `model-${catalog}-${model}`,
      displayName: 'x'.repeat(128),
      aliases: Array.from({ length: 16 }, (_, alias) => `alias-${catalog}-${model}-${alias}-`.padEnd(128, 'y')),
    }))
    const metadata = { name: `catalog-${catalog}` }
    const manifest = { apiVersion: 'korproxy.dev/v1alpha1', kind: 'ModelCatalog', metadata, spec: { models } }
    const parsed = parseResource(manifest, { namespace: 'default' })
    if ('problems' in parsed) throw new Error(parsed.problems[0]?.message)
    return parsed.resource
  })
  controller.configure({ ...set, resources: [...set.resources, ...catalogs] }, HINT)
  t.match(controller.withheld, { code: 'KP-CONF-214', message: /33554432 are allowed/ })
  t.equal(controller.published?.version, good)
  const { withheld } = controller.facts()?.programmed ?? {}
  t.match(withheld?.reason, /^KP-CONF-214 /)
  t.ok(withheld?.hashes.has('ModelCatalog/default/catalog-34'))
  controller.configure(set, HINT)
  t.equal(controller.withheld, undefined, 'it is over when the catalogues are gone')
  t.equal(controller.facts()?.programmed.withheld, undefined)
})

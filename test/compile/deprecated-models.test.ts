import t from 'tap'
import { deprecatedModels } from '#compile/deprecated-models.ts'
import { compileSet, readManifests, toldProblems } from './load-case.ts'

const MANIFESTS = `apiVersion: korproxy.dev/v1alpha1
kind: ModelCatalog
metadata: {name: dates}
spec:
  models:
  - {name: gone, deprecatedAt: "2026-11-20T00:00:00Z"}
  - {name: soon, deprecatedAt: "2026-11-22T00:00:00Z"}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: a}
spec:
  provider: Mock
  models:
    allow: [soon, gone, "go*"]
    list: [gone]
    aliases:
    - {name: gone, upstream: soon}
    - {name: old, upstream: gone}
  healthCheck: {model: gone}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: g}
spec: {accountRefs: [{name: a}]}
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: default}
spec:
  rules:
  - name: r
    modelOverride: gone
    providerGroups:
    - {name: g, modelOverride: gone}
---
apiVersion: korproxy.dev/v1alpha1
kind: GatewayConfig
metadata: {name: default}
spec: {safeMode: {providerGroupRef: {name: g}, model: gone}}
`

t.test('R3.7 a model past its date is warned of wherever it is named', async (t) => {
  const set = await readManifests(MANIFESTS)
  const at = (day: number) =>
    toldProblems(deprecatedModels(set, compileSet(set).table, Date.UTC(2026, 10, day, 12)))
      .split('\n')
      .filter((line) => line !== '')
  const retired = 'gone was retired by its provider on 2026-11-20'
  t.strictSame(at(19), [])
  t.strictSame(at(21), [
    `in.yaml:19:19 KP-CONF-221 spec.models.aliases[1].upstream: ${retired}`,
    `in.yaml:15:19 KP-CONF-221 spec.models.allow[1]: ${retired}`,
    `in.yaml:16:12 KP-CONF-221 spec.models.list[0]: ${retired}`,
    `in.yaml:20:17 KP-CONF-221 spec.healthCheck.model: ${retired}`,
    `in.yaml:33:5 KP-CONF-221 spec.rules[0].modelOverride: ${retired}`,
    `in.yaml:35:17 KP-CONF-221 spec.rules[0].providerGroups[0].modelOverride: ${retired}`,
    `in.yaml:40:48 KP-CONF-221 spec.safeMode.model: ${retired}`,
  ])
  t.equal(at(23).length, 9, 'two more a day later')
})

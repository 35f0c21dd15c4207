import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { eventually } from '../helpers/eventually.ts'
import { type ClusterUser, clusterUser, condition, liveStatus } from './cluster-user.ts'
import { folderOf, runCli } from './run-cli.ts'

// Each waits more than it computes.
t.jobs = 4

const OBJECTS = `
apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: main, labels: {team: a}}
spec: {provider: OpenAI, auth: {secretKeyRef: {name: main}}}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: spare}
spec: {provider: OpenAI, auth: {secretKeyRef: {name: spare}}}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: pool}
spec: {accountRefs: [{name: main}, {name: spare}], selectionStrategy: Priority}
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: work}
spec: {defaultProviderGroup: {name: pool}}
---
apiVersion: korproxy.dev/v1alpha1
kind: GatewayClient
metadata: {name: ci}
spec: {credentials: [{name: key, secretKeyRef: {name: ci}}], allow: {models: ["gpt-*"]}}
`
const SECRET = 'apiVersion: v1\nkind: Secret\nmetadata: {name: main}\nstringData: {apiKey: sk-planted}\n'
const LIST_ALL =
  '--verb=list --resource=provideraccounts.korproxy.dev,providergroups.korproxy.dev,routingprofiles.korproxy.dev,gatewayclients.korproxy.dev,usagepolicies.korproxy.dev,modelcatalogs.korproxy.dev,gatewayconfigs.korproxy.dev'

async function readerOf(user: ClusterUser, ...more: string[]) {
  const kubeconfig = await user.userWith([LIST_ALL, ...more])
  return (...args: string[]) => runCli([...args, '--kubeconfig', kubeconfig])
}

t.test(
  'R10.1 explain tells the way of a request in a cluster, with the health of its accounts, and reads no Secret',
  async (t) => {
    const user = await clusterUser(t)
    await user.apply(OBJECTS)
    const reader = await readerOf(user)
    t.equal(
      (await reader('explain', '--model', 'gpt-5', '--client', 'ci')).out,
      `Request   chat (by family), model gpt-5, family openai
Profile   work
Decided   by the default of the profile, as no rule matches

1. Group pool, Priority, asked for gpt-5
ACCOUNT  PROVIDER  MODEL  VERDICT
main     OpenAI    gpt-5  ready
spare    OpenAI    gpt-5  ready

Answered by main or spare of group pool.
`,
    )
    t.match(
      (await reader('explain', '--model', 'claude', '--client', 'ci')).err,
      'KP-AUTH-005 Client ci may not use model claude',
    )

    const until = new Date(Date.now() + 100_000).toISOString()
    const since = new Date(Date.now() - 1_000).toISOString()
    await user.writeStatus(
      'provideraccount/main',
      liveStatus({ health: 'rate_limited', healthSince: since, backoffUntil: until }),
    )
    const missing = condition('ResolvedRefs', 'False', 'SecretNotFound', 'KP-CONF-206 Secret spare does not exist.')
    await user.writeStatus('provideraccount/spare', { observedGeneration: '{generation}', conditions: [missing] })
    const { out } = await reader('explain', '--model', 'gpt-5')
    t.match(
      out,
      /\nACCOUNT {2}PROVIDER {2}MODEL {2}VERDICT\nmain {5}OpenAI {4}gpt-5 {2}skipped: rate-limited until \d{4}-\S+Z\n\n/,
    )
    t.match(out, 'No account can serve now gpt-5')
  },
)

t.test('R4.9 export writes what people said, and nothing that the API server adds', async (t) => {
  const user = await clusterUser(t)
  await user.apply(`${OBJECTS}---\n${SECRET}`)
  await user.kubectl(
    'annotate',
    'provideraccount/main',
    'kubectl.kubernetes.io/last-applied-configuration={}',
    'owner=me',
  )
  await user.writeStatus('provideraccount/main', liveStatus())
  const { code, out, err } = await user.cli('config', 'export')
  t.equal(code, 0)
  t.equal(err, '')
  t.equal(
    out,
    `apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata:
  name: main
  labels:
    team: a
  annotations:
    owner: me
spec:
  provider: OpenAI
  auth:
    secretKeyRef:
      name: main
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata:
  name: spare
spec:
  provider: OpenAI
  auth:
    secretKeyRef:
      name: spare
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata:
  name: pool
spec:
  accountRefs:
    - name: main
    - name: spare
  selectionStrategy: Priority
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata:
  name: work
spec:
  defaultProviderGroup:
    name: pool
---
apiVersion: korproxy.dev/v1alpha1
kind: GatewayClient
metadata:
  name: ci
spec:
  credentials:
    - name: key
      secretKeyRef:
        name: ci
  allow:
    models:
      - gpt-*
`,
  )
  const folder = folderOf(t, {})
  const file = join(folder, 'backup.yaml')
  t.match(await user.cli('config', 'export', '--with-secrets', '--output', file), {
    code: 0,
    out: '',
    err: `${file}: 6 objects\n`,
  })
  t.equal(statSync(file).mode & 0o777, 0o600)
  t.match(readFileSync(file, 'utf8'), 'stringData:\n  apiKey: sk-planted\n')
  const everywhere = JSON.parse((await user.cli('config', 'export', '-A', '-o', 'json')).out)
  t.match(
    everywhere.items.filter(
      ({ metadata }: { metadata: { namespace: string } }) => metadata.namespace === user.namespace,
    ),
    [{ kind: 'ProviderAccount' }, {}, {}, {}, {}],
  )
})

const CHANGE = `apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata:
  name: weekend
spec:
  rules:
    - name: all
      providerGroups:
        - name: pool
  defaultProviderGroup:
    name: pol
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata:
  name: main
spec:
  provider: OpenAI
  auth:
    secretKeyRef:
      name: main
      key: other
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata:
  name: local
spec:
  provider: OpenAI
  auth:
    valueFrom:
      env: OPENAI_API_KEY
`

t.test(
  'R4.8 config validate --server judges manifests together with what the cluster has, and changes nothing',
  async (t) => {
    const user = await clusterUser(t)
    await user.apply(`${OBJECTS}---\n${SECRET}`)
    const folder = folderOf(t, { 'change.yaml': CHANGE })
    const { code, out, err } = await user.cli('config', 'validate', '--server', folder)
    t.equal(code, 1)
    t.equal(
      out,
      [
        `${folder}/change.yaml:11:5 KP-CONF-207 spec.defaultProviderGroup.name: ProviderGroup pol does not exist\n`,
        `${folder}/change.yaml:20:5 KP-CONF-206 spec.auth.secretKeyRef: Secret main has no key other\n`,
        `${folder}/change.yaml:31:5 KP-CONF-206 spec.auth.valueFrom: environment variable OPENAI_API_KEY is not set, empty, or not readable here\n`,
      ].join(''),
    )
    t.equal(err, `${folder}: not valid: 3 errors, 0 warnings\n`)
    t.match(await user.plane.kubectl(['get', 'routingprofile/weekend', '-n', user.namespace]), {
      code: 1,
      stderr: /not found/,
    })
  },
)

t.test('R4.8 what only the API server knows is told with file, line and column', async (t) => {
  const user = await clusterUser(t)
  const { namespace } = user
  await user.apply(`apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: ${namespace}}
spec:
  matchConstraints:
    resourceRules:
      - {apiGroups: [korproxy.dev], apiVersions: ["*"], operations: [CREATE, UPDATE], resources: [provideraccounts]}
  validations:
    - expression: "object.spec.provider != 'OpenAI'"
      message: "KP-CONF-220: our company asks nobody outside"
    - expression: "!has(object.spec.displayName)"
      message: no display names here
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: ${namespace}}
spec:
  policyName: ${namespace}
  validationActions: [Deny]
  matchResources: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ${namespace}}}}
`)
  t.teardown(() =>
    user.kubectl('delete', 'validatingadmissionpolicy,validatingadmissionpolicybinding', namespace, '--wait=false'),
  )
  const folder = folderOf(t, {
    'a.yaml': `apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: a}
spec: {provider: Mock, displayName: A}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: b, namespace: ${namespace}-not}
spec: {provider: Mock}
`,
  })
  const refused = await eventually(
    () => user.cli('config', 'validate', '--server', folder),
    ({ out }) => out.includes('display names'),
  )
  t.equal(
    refused.out,
    [
      `${folder}/a.yaml:1:1 KP-CONF-203 ProviderAccount/a: no display names here\n`,
      `${folder}/a.yaml:8:21 KP-CONF-207 metadata.namespace: namespaces "${namespace}-not" not found\n`,
    ].join(''),
  )
  const coded = folderOf(t, {
    'b.yaml': `apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: a}
spec: {provider: OpenAI, auth: {secretKeyRef: {name: x}}}
---
apiVersion: v1
kind: Secret
metadata: {name: x}
stringData: {apiKey: sk-x}
`,
  })
  t.match(
    (await user.cli('config', 'validate', '--server', coded)).out,
    /b\.yaml:1:1 KP-CONF-220 .*our company asks nobody outside\n$/,
  )
})

t.test('R4.8 who may not look at Secrets is told what was not looked at; who may not apply is refused', async (t) => {
  const user = await clusterUser(t)
  await user.apply(OBJECTS)
  const folder = folderOf(t, {
    'a.yaml': `apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: third}
spec: {provider: OpenAI, auth: {secretKeyRef: {name: third}}}
`,
  })
  const reader = await readerOf(user, '--verb=patch,create --resource=provideraccounts.korproxy.dev')
  t.strictSame(await reader('config', 'validate', '--server', folder), {
    code: 0,
    out: `${folder}: valid: 1 ProviderAccount\n`,
    err: `You may not read these Secrets, so they count as there: ${user.namespace}/third\n`,
  })
  const other = folderOf(t, {
    'a.yaml':
      'apiVersion: korproxy.dev/v1alpha1\nkind: RoutingProfile\nmetadata: {name: x}\nspec: {defaultProviderGroup: {name: pool}}\n',
  })
  t.match(await reader('config', 'validate', '--server', other), {
    code: 1,
    err: /^korproxy: KP-AUTH-011 .* cannot patch resource "routingprofiles"/,
  })
  t.match(await runCli(['config', 'validate', '--context', 'x', folder]), {
    code: 2,
    err: /^error: --context and --kubeconfig are for --server\n/,
  })
})

import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { runCli } from '../cli/run-cli.ts'
import { CHART, EVERYTHING, FRESH_CLUSTER, find, helm, type Manifest, render, template, valuesFile } from './helm.ts'

const NAMESPACE_LESS = [
  'ClusterRole',
  'ClusterRoleBinding',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
]

/** Every pod that the manifests make, by the name of its owner. */
function podsOf(manifests: readonly Manifest[]): [string, Manifest][] {
  return manifests.flatMap(({ kind, metadata, spec }) => {
    if (kind === 'Pod') return [[metadata.name, spec]]
    return ['Deployment', 'Job'].includes(kind) ? [[metadata.name, spec.template.spec]] : []
  })
}

t.test('R5.1 helm lint finds nothing, strictly', async (t) => {
  for (const values of [{}, EVERYTHING]) {
    t.match(await helm(['lint', '--strict', CHART, '--values', valuesFile(values)]), { code: 0 })
  }
})

t.test('R5.1 CRDs are templates that stay when the release goes', async (t) => {
  const names = readdirSync(`${CHART}files/crds`)
  const { stdout: kept } = await template({})
  const { stdout: plain } = await template({ crds: { keep: false } })
  for (const name of names) {
    const text = readFileSync(`${CHART}files/crds/${name}`, 'utf8').trimEnd()
    t.ok(plain.includes(text), `${name} as it is`)
    const marked = text.replace('\nmetadata:\n', '\nmetadata:\n  annotations:\n    helm.sh/resource-policy: keep\n')
    t.ok(kept.includes(marked), `${name} with the mark`)
  }
  const { stdout: none } = await template({ crds: { enabled: false } })
  t.notMatch(none, 'kind: CustomResourceDefinition')
})

t.test(
  'R5.2 every pod satisfies the restricted Pod Security Standard, with a root file system that is read-only',
  async (t) => {
    const pods = podsOf(await render(EVERYTHING, FRESH_CLUSTER))
    t.strictSame(pods.map(([name]) => name).sort(), ['demo-bootstrap', 'demo-controller', 'demo-gateway', 'demo-test'])
    for (const [name, pod] of pods) {
      t.match(
        pod.securityContext,
        { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
        name,
      )
      for (const absent of ['hostNetwork', 'hostPID', 'hostIPC', 'initContainers'])
        t.notOk(absent in pod, `${name} ${absent}`)
      for (const { securityContext, resources } of pod.containers) {
        t.strictSame(
          securityContext,
          {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            runAsNonRoot: true,
            capabilities: { drop: ['ALL'] },
            seccompProfile: { type: 'RuntimeDefault' },
          },
          name,
        )
        t.match(resources, { requests: { cpu: String, memory: String }, limits: { memory: String } }, name)
      }
      const volumes = (pod.volumes ?? [])
        .flatMap((volume: object) => Object.keys(volume))
        .filter((key: string) => key !== 'name')
      t.strictSame(
        volumes.filter((type: string) => !['projected', 'configMap', 'secret', 'emptyDir'].includes(type)),
        [],
        name,
      )
    }
  },
)

t.test('R5.1 gateways have no access to the API server, only a token for the controller', async (t) => {
  const manifests = await render(EVERYTHING)
  const subjects = manifests.flatMap(({ subjects = [] }) => subjects.map(({ name }: Manifest) => name))
  t.strictSame([...new Set(subjects)], ['demo-controller'], 'nothing is granted to anybody else')
  const { spec } = find(manifests, 'Deployment', 'demo-gateway').spec.template
  t.equal(spec.serviceAccountName, 'demo-gateway')
  t.equal(spec.automountServiceAccountToken, false)
  t.equal(find(manifests, 'ServiceAccount', 'demo-gateway').automountServiceAccountToken, false)
  t.strictSame(spec.volumes.find(({ name }: Manifest) => name === 'token').projected.sources, [
    { serviceAccountToken: { audience: 'korproxy-controller', expirationSeconds: 3600, path: 'token' } },
  ])
  t.strictSame(spec.volumes.find(({ name }: Manifest) => name === 'table').emptyDir, {
    medium: 'Memory',
    sizeLimit: '64Mi',
  })
  t.equal(spec.volumes.find(({ name }: Manifest) => name === 'last-good').secret.optional, true)
})

t.test('R5.1 the controller may do in a watched namespace what it does there, and no more', async (t) => {
  const manifests = await render({ watchNamespaces: ['team-a', 'team-b'] })
  const roles = manifests
    .filter(({ kind }) => kind === 'Role')
    .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)
  t.strictSame(roles.sort(), ['kp/demo-controller', 'team-a/kp-demo-controller', 'team-b/kp-demo-controller'])
  const role = manifests.find(({ kind, metadata }) => kind === 'Role' && metadata.namespace === 'team-a')
  const kinds = [
    'provideraccounts',
    'providergroups',
    'routingprofiles',
    'gatewayclients',
    'usagepolicies',
    'modelcatalogs',
    'gatewayconfigs',
  ]
  t.strictSame(role.rules, [
    { apiGroups: ['korproxy.dev'], resources: kinds, verbs: ['list', 'watch'] },
    { apiGroups: ['korproxy.dev'], resources: kinds.map((kind) => `${kind}/status`), verbs: ['patch'] },
    { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list', 'watch', 'patch'] },
    { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
  ])
  const clusterRoles = manifests.filter(({ kind }) => kind === 'ClusterRole')
  t.strictSame(
    clusterRoles.flatMap(({ rules }) => rules),
    [{ apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] }],
    'cluster-wide it may only ask whose token it sees',
  )
})

t.test('R5.1 the controller may be held to Secrets by name', async (t) => {
  const manifests = await render({ controller: { secretNames: ['openai', 'anthropic'] } })
  const rules = manifests.filter(({ kind }) => kind === 'Role').flatMap(({ rules }) => rules)
  t.strictSame(
    rules.filter(({ resources }: Manifest) => resources.includes('secrets')),
    [
      { apiGroups: [''], resources: ['secrets'], resourceNames: ['openai', 'anthropic'], verbs: ['get', 'patch'] },
      { apiGroups: [''], resources: ['secrets'], resourceNames: ['demo-controller-ca'], verbs: ['get', 'update'] },
      { apiGroups: [''], resources: ['secrets'], resourceNames: ['demo-controller-last-good'], verbs: ['patch'] },
    ],
  )
})

t.test('R5.3 workloads find the gateways at http://<release>-gateway', async (t) => {
  const service = find(await render({}), 'Service', 'demo-gateway')
  t.equal(service.spec.type, 'ClusterIP')
  t.strictSame(service.spec.ports, [{ name: 'http', port: 80, targetPort: 'http', appProtocol: 'http' }])
  const { containers } = find(await render({}), 'Deployment', 'demo-gateway').spec.template.spec
  t.strictSame(containers[0].ports, [
    { name: 'http', containerPort: 1337 },
    { name: 'status', containerPort: 1339 },
  ])
  t.match(service.spec.selector, { 'app.kubernetes.io/component': 'gateway', 'app.kubernetes.io/instance': 'demo' })
})

t.test('R4.2 a gateway keeps to one replica of the controller: its Service is headless', async (t) => {
  t.equal(find(await render({}), 'Service', 'demo-controller').spec.clusterIP, 'None')
})

t.test('R5.4 a gateway that must go has time for its streams', async (t) => {
  const { spec } = find(await render({}), 'Deployment', 'demo-gateway')
  t.equal(spec.replicas, 3)
  t.strictSame(spec.strategy.rollingUpdate, { maxUnavailable: 0, maxSurge: 1 })
  t.equal(spec.template.spec.terminationGracePeriodSeconds, 330)
  t.strictSame(spec.template.spec.containers[0].lifecycle, { preStop: { sleep: { seconds: 5 } } })
  t.ok(spec.template.spec.containers[0].args.includes('--drain=300'))
  const patient = { gateway: { drain: { preStopSeconds: 10, timeoutSeconds: 900 } } }
  t.equal(
    find(await render(patient), 'Deployment', 'demo-gateway').spec.template.spec.terminationGracePeriodSeconds,
    935,
  )
})

t.test(
  'R5.1 gateways grow fast and shrink slowly, and the number of replicas is then nobody else’s business',
  async (t) => {
    const manifests = await render(EVERYTHING)
    t.notOk('replicas' in find(manifests, 'Deployment', 'demo-gateway').spec)
    const { spec } = find(manifests, 'HorizontalPodAutoscaler', 'demo-gateway')
    t.strictSame(
      spec.metrics.map(({ type }: Manifest) => type),
      ['Resource', 'Pods'],
    )
    t.strictSame(spec.metrics[1].pods, {
      metric: { name: 'korproxy_requests_in_flight' },
      target: { type: 'AverageValue', averageValue: '200' },
    })
    t.strictSame(spec.behavior.scaleDown, {
      stabilizationWindowSeconds: 300,
      policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }],
    })
  },
)

t.test('R5.1 at most one pod is away at a time, and they spread over nodes and zones', async (t) => {
  const manifests = await render({})
  for (const name of ['demo-controller', 'demo-gateway']) {
    t.equal(find(manifests, 'PodDisruptionBudget', name).spec.maxUnavailable, 1)
    t.strictSame(
      find(manifests, 'Deployment', name).spec.template.spec.topologySpreadConstraints.map(
        ({ topologyKey, whenUnsatisfiable }: Manifest) => [topologyKey, whenUnsatisfiable],
      ),
      [
        ['kubernetes.io/hostname', 'ScheduleAnyway'],
        ['topology.kubernetes.io/zone', 'ScheduleAnyway'],
      ],
    )
  }
})

t.test('R5.1 NetworkPolicies are on and let through what is needed', async (t) => {
  const manifests = await render({})
  const { spec: gateway } = find(manifests, 'NetworkPolicy', 'demo-gateway')
  t.strictSame(gateway.policyTypes, ['Ingress', 'Egress'])
  t.strictSame(gateway.ingress, [
    { ports: [{ protocol: 'TCP', port: 1337 }], from: [{ namespaceSelector: {} }] },
    { ports: [{ protocol: 'TCP', port: 1339 }], from: [{ namespaceSelector: {} }] },
  ])
  t.strictSame(
    gateway.egress.map(({ ports }: Manifest) => ports.map(({ port }: Manifest) => port)),
    [[53, 53], [8443], [443]],
  )
  t.strictSame(gateway.egress[2].to[0], { ipBlock: { cidr: '0.0.0.0/0', except: ['169.254.0.0/16'] } })
  const { spec: controller } = find(manifests, 'NetworkPolicy', 'demo-controller')
  t.strictSame(
    controller.ingress[0].from.map(
      ({ podSelector }: Manifest) => podSelector.matchLabels['app.kubernetes.io/component'],
    ),
    ['gateway', 'controller'],
    'tables go to gateways and other replicas only',
  )
  const open = await render({ gateway: { service: { type: 'LoadBalancer' } } })
  t.notOk('from' in find(open, 'NetworkPolicy', 'demo-gateway').spec.ingress[0], 'a public Service is for everybody')
  const none = await render({ networkPolicy: { enabled: false } })
  t.strictSame(
    none.filter(({ kind }) => kind === 'NetworkPolicy'),
    [],
  )
})

t.test('R5.1 images are named by tag, by digest or by both', async (t) => {
  const imageOf = async (image: object): Promise<string> =>
    find(await render({ image }), 'Deployment', 'demo-gateway').spec.template.spec.containers[0].image
  const digest = `sha256:${'0'.repeat(64)}`
  t.equal(await imageOf({}), 'korproxy:0.1.0')
  t.equal(
    await imageOf({ repository: 'registry.example.com/ai/korproxy', tag: '1.2' }),
    'registry.example.com/ai/korproxy:1.2',
  )
  t.equal(await imageOf({ digest }), `korproxy@${digest}`)
  t.equal(await imageOf({ tag: '1.2', digest }), `korproxy:1.2@${digest}`)
})

t.test('R5.1 Ingress and HTTPRoute lead to the Service', async (t) => {
  const manifests = await render(EVERYTHING)
  t.strictSame(find(manifests, 'Ingress', 'demo-gateway').spec.rules[0].http.paths[0].backend, {
    service: { name: 'demo-gateway', port: { number: 80 } },
  })
  t.strictSame(find(manifests, 'HTTPRoute', 'demo-gateway').spec.rules[0].backendRefs, [
    { name: 'demo-gateway', port: 80 },
  ])
})

t.test('R5.1 Prometheus finds the pods, the alerts and Grafana the dashboard', async (t) => {
  const manifests = await render(EVERYTHING)
  t.strictSame(find(manifests, 'PodMonitor', 'demo').spec.podMetricsEndpoints, [
    { port: 'status', path: '/metrics', interval: '30s' },
  ])
  t.strictSame(find(manifests, 'ServiceMonitor', 'demo').spec.endpoints, [
    { port: 'status', path: '/metrics', interval: '30s' },
  ])
  t.strictSame(
    find(manifests, 'PrometheusRule', 'demo').spec.groups.map(({ name, rules }: Manifest) => [name, rules.length]),
    [
      ['korproxy', 8],
      ['korproxy-controller', 4],
    ],
  )
  const dashboard = find(manifests, 'ConfigMap', 'demo-dashboard')
  t.equal(dashboard.metadata.labels.grafana_dashboard, '1')
  t.equal(JSON.parse(dashboard.data['korproxy.json']).title, 'KorProxy')
})

t.test('R5.1 resources in values are resources of the release', async (t) => {
  const manifests = await render(EVERYTHING)
  t.strictSame(find(manifests, 'ProviderAccount', 'simulator').spec, { provider: 'Mock' })
  t.strictSame(find(manifests, 'ProviderGroup', 'all').spec, { accountRefs: [{ name: 'simulator' }] })
  t.strictSame(find(manifests, 'GatewayConfig', 'default').spec, { clientAuth: { mode: 'Disabled' } })
  t.strictSame(
    find(manifests, 'RoutingProfile', 'default').metadata.annotations['korproxy.dev/deletion'],
    'Allowed',
    'uninstalling is not held up by the admission policies',
  )
  t.notOk(manifests.some(({ kind }) => kind === 'Job'))
  const bare = await render({})
  t.notOk(
    bare.some(({ apiVersion }) => apiVersion === 'korproxy.dev/v1alpha1'),
    'none by default',
  )
})

t.test(
  'R5.1 where the CRDs are new a job applies the resources, and uninstalling removes them all the same',
  async (t) => {
    const manifests = await render(EVERYTHING, FRESH_CLUSTER)
    const hooks = manifests.filter(({ apiVersion }) => apiVersion === 'korproxy.dev/v1alpha1')
    t.equal(hooks.length, 5)
    for (const { metadata } of hooks) t.equal(metadata.annotations['helm.sh/hook'], 'pre-delete')
    const applied = JSON.parse(find(manifests, 'ConfigMap', 'demo-bootstrap').data['resources.json'])
    t.strictSame(
      applied.map(({ kind }: Manifest) => kind),
      ['ProviderAccount', 'ProviderGroup', 'RoutingProfile', 'GatewayClient', 'GatewayConfig'],
    )
    t.match(applied[0].metadata, {
      labels: { 'app.kubernetes.io/managed-by': 'Helm' },
      annotations: { 'meta.helm.sh/release-name': 'demo', 'meta.helm.sh/release-namespace': 'kp' },
    })
    const bare = await render({}, FRESH_CLUSTER)
    t.notOk(
      bare.some(({ kind }) => kind === 'Job'),
      'nothing to apply, no job',
    )
    const ordered = await render({ ...EVERYTHING, bootstrapJob: { enabled: false } }, FRESH_CLUSTER)
    t.notOk(
      ordered.some(({ kind }) => kind === 'Job'),
      'none where it is not wanted',
    )
  },
)

t.test('R5.1 wrong values are refused with the place and the reason', async (t) => {
  const refusals: [object, RegExp][] = [
    [{ gateway: { replica: 3 } }, /at '\/gateway': additional properties 'replica' not allowed/],
    [{ gateway: { replicas: 0 } }, /at '\/gateway\/replicas': minimum/],
    [{ image: { digest: 'latest' } }, /at '\/image\/digest'/],
    [{ watchNamespaces: ['*'] }, /at '\/watchNamespaces\/0'/],
    [{ accounts: { a: { provider: 'OpenIA' } } }, /at '\/accounts\/a\/provider': value must be one of/],
    [{ gatewayConfig: { clientAuth: { mode: 'Maybe' } } }, /at '\/gatewayConfig\/clientAuth\/mode'/],
  ]
  for (const [values, reason] of refusals) {
    const { code, stderr } = await template(values)
    t.equal(code, 1)
    t.match(stderr, reason)
  }
})

t.test('R5.1 everything has the common labels and says its namespace', async (t) => {
  const manifests = await render({ ...EVERYTHING, commonLabels: { team: 'ai' }, admissionPolicies: { enabled: false } })
  for (const { kind, metadata } of manifests) {
    t.match(metadata.labels, { team: 'ai', 'app.kubernetes.io/instance': 'demo' }, `${kind}/${metadata.name}`)
    if (!NAMESPACE_LESS.includes(kind)) t.equal(metadata.namespace, 'kp', `${kind}/${metadata.name}`)
  }
})

t.test('R5.1 the controller keeps what it writes in objects that it may name', async (t) => {
  const manifests = await render({})
  t.strictSame(find(manifests, 'Role', 'demo-controller').rules, [
    {
      apiGroups: ['coordination.k8s.io'],
      resources: ['leases'],
      resourceNames: ['demo-controller'],
      verbs: ['get', 'update'],
    },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
    { apiGroups: [''], resources: ['secrets'], resourceNames: ['demo-controller-ca'], verbs: ['get', 'update'] },
    { apiGroups: [''], resources: ['configmaps'], resourceNames: ['demo-controller-ca'], verbs: ['create', 'patch'] },
    { apiGroups: [''], resources: ['secrets'], resourceNames: ['demo-controller-last-good'], verbs: ['patch'] },
  ])
  for (const name of ['demo-controller-ca', 'demo-controller-last-good']) {
    t.notOk('data' in find(manifests, 'Secret', name), `${name} is empty, so that an upgrade leaves what is in it`)
  }
})

t.test('R5.1 cert-manager may issue the certificate between controller and gateways', async (t) => {
  const certManager = { enabled: true, issuerRef: { kind: 'Issuer', name: 'internal' } }
  const manifests = await render({ controller: { tls: { certManager } } })
  const { spec } = find(manifests, 'Certificate', 'demo-controller')
  t.match(spec, { secretName: 'demo-controller-tls', issuerRef: { kind: 'Issuer', name: 'internal' } })
  t.ok(spec.dnsNames.includes('demo-controller.kp.svc'), 'the name that gateways call')
  const { containers } = find(manifests, 'Deployment', 'demo-controller').spec.template.spec
  t.ok(containers[0].args.includes('--tls-dir=/etc/korproxy/tls'))
  const { volumes } = find(manifests, 'Deployment', 'demo-gateway').spec.template.spec
  t.strictSame(volumes.find(({ name }: Manifest) => name === 'controller-ca').secret, {
    secretName: 'demo-controller-tls',
    items: [{ key: 'ca.crt', path: 'ca.crt' }],
  })
})

t.test('R5.2 every argument that a pod is started with is one that the command line knows', async (t) => {
  const manifests = await render({ controller: { tls: { certManager: { enabled: true } } } })
  for (const role of ['controller', 'gateway']) {
    const { args } = find(manifests, 'Deployment', `demo-${role}`).spec.template.spec.containers[0]
    t.equal(args[0], role)
    const { out } = await runCli([role, '--help'])
    for (const argument of args.slice(1)) {
      const [flag] = argument.split('=')
      t.ok(out.includes(`  ${flag} `), `${role} ${argument}`)
    }
  }
})

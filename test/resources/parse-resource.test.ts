import { globSync, readFileSync } from 'node:fs'
import t from 'tap'
import { defaultSpec, parseResource } from '../../src/resources/parse-resource.ts'

const account = (metadata: object, spec: object = { provider: 'Mock' }) => ({
  apiVersion: 'korproxy.dev/v1alpha1',
  kind: 'ProviderAccount',
  metadata,
  spec,
})
const parse = (value: unknown) => parseResource(value, { namespace: 'team-a' })

t.test('R4.1 an account with nothing else is complete: the schema fills in every default', (t) => {
  t.strictSame(parse(account({ name: 'mock' })), {
    resource: {
      apiVersion: 'korproxy.dev/v1alpha1',
      kind: 'ProviderAccount',
      metadata: { name: 'mock', namespace: 'team-a', labels: {}, annotations: {} },
      spec: {
        provider: 'Mock',
        models: {},
        prices: { multiplier: '1' },
        limits: {},
        state: 'Enabled',
        healthCheck: { state: 'Disabled', interval: '30s', timeout: '10s', degradedLatency: '5s' },
        connections: { maxIdle: 100, maxIdlePerHost: 10, idleTimeout: '90s' },
      },
    },
  })
  t.end()
})

t.test('R4.4 a problem names object, field, code and what is wrong', (t) => {
  t.strictSame(
    parse(account({ name: 'a', namespace: 'team-b' }, { provider: 'OpenAI', auth: { secretKeyRef: {}, extra: 1 } })),
    {
      problems: [
        {
          ref: { kind: 'ProviderAccount', namespace: 'team-b', name: 'a' },
          path: 'spec.auth.secretKeyRef.name',
          message: 'is required',
          code: 'KP-CONF-203',
        },
        {
          ref: { kind: 'ProviderAccount', namespace: 'team-b', name: 'a' },
          path: 'spec.auth.extra',
          message: 'no such field',
          code: 'KP-CONF-204',
        },
      ],
    },
  )
  t.end()
})

t.test('R4.4 whatever comes instead of an object is a problem, never an exception', (t) => {
  for (const value of [
    undefined,
    null,
    1,
    'text',
    [],
    {},
    { kind: 1 },
    { kind: 'Pod', apiVersion: 'v1', metadata: 3 },
  ]) {
    const result = parse(value)
    t.strictSame(
      'problems' in result && result.problems.map(({ code }) => code),
      ['KP-CONF-202'],
      JSON.stringify(value),
    )
  }
  const result = parse(account([]))
  t.match(result, { problems: [{ path: 'metadata', code: 'KP-CONF-203' }] })
  t.end()
})

t.test('R4.8 objects as the API server returns them are accepted', (t) => {
  const result = parse({
    ...account({
      name: 'a',
      namespace: 'b',
      uid: 'u-1',
      resourceVersion: '42',
      generation: 3,
      creationTimestamp: '2026-11-21T09:00:00Z',
      managedFields: [{}],
      labels: null,
    }),
    status: { anything: true },
  })
  t.match(result, { resource: { metadata: { uid: 'u-1', resourceVersion: '42', generation: 3, labels: {} } } })
  t.end()
})

t.test('a field that is nearly another one is told so, however deep', (t) => {
  const spec = { rules: [{ name: 'a', match: { model: ['x'], zzz: 1 }, providerGroups: [{ name: 'g', wieght: 1 }] }] }
  const result = parse({ ...account({ name: 'a', lables: {} }), kind: 'RoutingProfile', spec })
  t.strictSame('problems' in result && result.problems.map(({ path, message }) => `${path}: ${message}`), [
    'metadata.lables: no such field (did you mean labels?)',
    'spec.rules[0].match.model: no such field (did you mean models?)',
    'spec.rules[0].match.zzz: no such field',
    'spec.rules[0].providerGroups[0].wieght: no such field (did you mean weight?)',
  ])
  t.end()
})

t.test('unknown fields outside of spec are found too', (t) => {
  const result = parse({ ...account({ name: 'a', nmaespace: 'b' }), specs: {} })
  t.strictSame('problems' in result && result.problems.map(({ code, path }) => `${code} ${path}`), [
    'KP-CONF-204 specs',
    'KP-CONF-204 metadata.nmaespace',
  ])
  t.end()
})

t.test('names follow RFC 1123', (t) => {
  for (const name of ['a', 'a-b.c', '0', 'a'.repeat(253)]) t.match(parse(account({ name })), { resource: {} }, name)
  for (const name of ['', 'A', '-a', 'a-', 'a_b', 'a/b', 'a'.repeat(254), 'ä']) {
    t.match(parse(account({ name })), { problems: [{ path: 'metadata.name', code: 'KP-CONF-203' }] }, name)
  }
  t.match(parse(account({ name: 'a', namespace: 'a.b' })), { problems: [{ path: 'metadata.namespace' }] })
  t.end()
})

t.test('no message quotes a value, which might be a secret', (t) => {
  const result = parse(
    account({ name: 'a' }, { provider: 'sk-secret', auth: 'sk-secret', baseURL: 'sk-secret', state: 'sk-secret' }),
  )
  t.notMatch(JSON.stringify(result), /sk-secret/)
  t.end()
})

t.test('what is not configured has the defaults of the schema', (t) => {
  t.strictSame(defaultSpec('GatewayConfig').clientAuth, { mode: 'Required' })
  t.strictSame(defaultSpec('GatewayConfig').requestLimits, { maxBodySize: '32Mi', maxDepth: 64 })
  t.end()
})

t.test('tests and sources stand on the files of this repository alone', (t) => {
  const absolute = /['"`]\/\w+\/(?:shared|starter)\b/
  const files = globSync('{src,test,crds,schemas,docs/reference/resources}/**/*.{ts,yaml,json,md}')
  t.strictSame(
    files.filter((file) => absolute.test(readFileSync(file, 'utf8'))),
    [],
  )
  t.end()
})

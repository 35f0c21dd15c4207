import t from 'tap'
import { clusterUser, condition, liveStatus } from './cluster-user.ts'
import { runCli } from './run-cli.ts'

// Each waits more than it computes.
t.jobs = 4

function account(name: string): string {
  return `
apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: ${name}}
spec: {provider: Mock}
---`
}

t.test('R10.1 status tells that everything is live', async (t) => {
  const user = await clusterUser(t)
  t.strictSame(await user.cli('status'), {
    code: 0,
    out: `Context     here\nNamespace   ${user.namespace}\nObjects     none\n`,
    err: '',
  })
  await user.apply(account('a') + account('b'))
  await user.writeStatus('provideraccount/a', liveStatus())
  await user.writeStatus('provideraccount/b', liveStatus())
  t.strictSame(await user.cli('status'), {
    code: 0,
    out: `Context     here\nNamespace   ${user.namespace}\nObjects     all 2 live\n`,
    err: '',
  })
  t.match(
    (await user.cli('status', '--verbose')).out,
    /\nKIND {13}NAME {2}GENERATION {2}STATE {2}GATEWAYS {2}STAGE {2}BECAUSE\nProviderAccount {2}a {5}1 {11}live {3}3\/3 {7}- {6}-\n/,
  )
})

t.test('R10.1 status tells at which stage each object is stuck, and why; exit code 1', async (t) => {
  const user = await clusterUser(t)
  const names = ['accepted', 'fails', 'newer', 'refused', 'refs', 'runs', 'slow', 'unseen']
  await user.apply(names.map(account).join(''))
  const resolved = [condition('Accepted', 'True', 'Valid'), condition('ResolvedRefs', 'True', 'ResolvedRefs')]
  const statuses: Record<string, Record<string, unknown>> = {
    runs: liveStatus(),
    newer: liveStatus(),
    accepted: {
      observedGeneration: '{generation}',
      conditions: [condition('Accepted', 'False', 'Invalid', 'KP-CONF-203 spec.provider: no such provider.')],
    },
    refs: {
      observedGeneration: '{generation}',
      programmedGateways: '3/3',
      conditions: [
        condition('Accepted', 'True', 'Valid'),
        condition('ResolvedRefs', 'False', 'SecretNotFound', 'KP-CONF-206 Secret x does not exist.'),
        condition('Programmed', 'True', 'Programmed'),
      ],
    },
    refused: {
      observedGeneration: '{generation}',
      programmedGateways: '2/3',
      conditions: [
        ...resolved,
        condition(
          'Programmed',
          'False',
          'SnapshotRejected',
          '2/3 gateways run it; pod gw-2 refused: KP-CONF-212 too large.',
        ),
        condition('Ready', 'False', 'SnapshotRejected'),
      ],
    },
    slow: {
      observedGeneration: '{generation}',
      programmedGateways: '1/3',
      conditions: [...resolved, condition('Programmed', 'Unknown', 'Propagating', '1/3 gateways run it so far.')],
    },
    fails: liveStatus({
      conditions: [
        ...resolved,
        condition('Programmed', 'True', 'Programmed'),
        condition('Ready', 'False', 'Erroring', 'KP-PROV-102 Provider credentials refused.'),
      ],
    }),
  }
  for (const [name, status] of Object.entries(statuses)) await user.writeStatus(`provideraccount/${name}`, status)
  await user.kubectl('patch', 'provideraccount/newer', '--type=merge', '--patch', '{"spec":{"displayName":"New"}}')

  const { code, out, err } = await user.cli('status')
  t.equal(code, 1)
  t.equal(err, '')
  t.equal(
    out,
    `Context     here
Namespace   ${user.namespace}
Objects     2 of 8 live, 3 stuck, 3 pending

KIND             NAME      GENERATION  STATE            GATEWAYS  STAGE         BECAUSE
ProviderAccount  accepted  1           stuck            -         Accepted      KP-CONF-203 spec.provider: no such provider.
ProviderAccount  refs      1           stuck            3/3       ResolvedRefs  KP-CONF-206 Secret x does not exist.
ProviderAccount  refused   1           stuck            2/3       Programmed    2/3 gateways run it; pod gw-2 refused: KP-CONF-212 too large.
ProviderAccount  newer     1/2         pending          3/3       Observed      The controller has seen generation 1, not 2 yet.
ProviderAccount  slow      1           pending          1/3       Programmed    1/3 gateways run it so far.
ProviderAccount  unseen    0/1         pending          -         Observed      No controller has looked at it yet.
ProviderAccount  fails     1           live, not ready  3/3       Ready         KP-PROV-102 Provider credentials refused.

The controller has not looked at 2 objects. Does one run, and does it watch the namespace?
  kubectl get pods --all-namespaces --selector app.kubernetes.io/name=korproxy
`,
  )
  const json = JSON.parse((await user.cli('status', '-o', 'json')).out)
  t.match(json, { context: 'here', namespace: user.namespace, live: 2, pending: 3, stuck: 3 })
  t.match(
    json.objects.find(({ name }: { name: string }) => name === 'refused'),
    {
      kind: 'ProviderAccount',
      generation: 1,
      observedGeneration: 1,
      state: 'stuck',
      stage: 'Programmed',
      gateways: '2/3',
    },
  )
})

t.test('status --wait looks again until everything is live', async (t) => {
  const user = await clusterUser(t)
  await user.apply(account('a'))
  const waiting = user.cli('status', '--wait', '30')
  await user.writeStatus('provideraccount/a', liveStatus())
  t.match(await waiting, { code: 0, out: /all 1 live/ })
})

t.test('R10.1 provider list shows the health that the cluster tells of its accounts', async (t) => {
  const user = await clusterUser(t)
  await user.apply(account('a') + account('b'))
  await user.writeStatus(
    'provideraccount/a',
    liveStatus({
      health: 'rate_limited',
      backoffUntil: '2026-11-21T10:05:00Z',
      lastErrorCode: 'KP-PROV-110',
      lastErrorMessage: 'slow down',
      lastErrorTime: '2026-11-21T10:00:00Z',
    }),
  )
  const { code, out } = await user.cli('provider', 'list')
  t.equal(code, 0)
  const name = user.namespace
  t.equal(
    out,
    `NAMESPACE          ACCOUNT  PROVIDER  STATE    HEALTH        UNTIL                 LAST ERROR                           PROBLEM
${name}  a        Mock      Enabled  rate_limited  2026-11-21T10:05:00Z  KP-PROV-110 at 2026-11-21T10:00:00Z  -
${name}  b        Mock      Enabled  unknown       -                     -                                    No controller has looked at it yet.
`,
  )
  const everywhere = JSON.parse((await user.cli('provider', 'list', '--all-namespaces', '-o', 'json')).out)
  t.match(
    everywhere.filter(({ namespace }: { namespace: string }) => namespace === name),
    [
      { name: 'a', health: 'rate_limited' },
      { name: 'b', health: 'unknown' },
    ],
  )
})

t.test('R10.2 a user without the right is told so, with a code', async (t) => {
  const user = await clusterUser(t)
  await user.apply(account('a'))
  const kubeconfig = await user.userWith(['--verb=list --resource=provideraccounts.korproxy.dev'])
  const poor = (...args: string[]) => runCli([...args, '--kubeconfig', kubeconfig])
  t.match(await poor('provider', 'list'), { code: 0, out: / a +Mock / })
  const refused = await poor('status')
  t.equal(refused.code, 1)
  t.equal(refused.out, '')
  t.match(
    refused.err,
    new RegExp(
      `^korproxy: KP-AUTH-011 The cluster does not allow it: User "system:serviceaccount:${user.namespace}:somebody" cannot list resource "\\w+" in API group "korproxy.dev" in the namespace "${user.namespace}"\n`,
    ),
  )
  t.match((await poor('provider', 'list', '-A')).err, /^korproxy: KP-AUTH-011 .* at the cluster scope\n/)
  t.match((await poor('profile', 'switch', 'work')).err, /^korproxy: KP-AUTH-011 /)
})

t.test('what the kubeconfig does not say is told before anybody is asked', async (t) => {
  const user = await clusterUser(t)
  const wrong = await user.cli('status', '--context', 'there')
  t.equal(wrong.code, 1)
  t.match(
    wrong.err,
    'KP-SYS-531 read kubeconfig: the Kubernetes API cannot be reached: there is no context there; there are: here\n',
  )
  const missing = await runCli(['status', '--kubeconfig', '/nonexistent/kubeconfig'])
  t.match(missing, { code: 1, err: /KP-SYS-531 read kubeconfig: .*\/nonexistent\/kubeconfig does not exist/ })
})

t.test('R10.2 options say where a command looks; two places at once are a wrong command line', async (t) => {
  const both = await runCli(['provider', 'list', '--config', '.', '--context', 'x'])
  t.equal(both.code, 2)
  t.match(both.err, /^error: --config and --context are of different places; give one of them\n/)
  t.match(await runCli(['status', '--server', 'http://127.0.0.1:9', '-A']), {
    code: 2,
    err: /^error: --server and --all-namespaces are of different places/,
  })
  t.match(await runCli(['status', '-A', '-n', 'x', '--kubeconfig', 'y']), {
    code: 2,
    err: /cannot be used with option/,
  })
  // Without a kubeconfig it is the gateway of this machine.
  t.match(await runCli(['status', '--wait', '0'], { HOME: '/nonexistent' }), { code: 1, err: /KP-NET-312/ })
})

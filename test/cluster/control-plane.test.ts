import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import t from 'tap'
import { controlPlane, ownControlPlane } from '../helpers/control-plane.ts'
import { eventually } from '../helpers/eventually.ts'
import { clusterScript, mustRun } from '../helpers/run-program.ts'

// Each waits more than it computes.
t.jobs = 4

t.test('test files share one control plane, each test with a namespace of its own', async (t) => {
  const [first, second] = await Promise.all([controlPlane(), controlPlane()])
  t.equal(first.kubeconfigPath, second.kubeconfigPath)
  const namespaces = await Promise.all([first.namespace(t), second.namespace(t)])
  t.not(namespaces[0], namespaces[1])
})

t.test('a control plane of its own survives the outage of its parts', async (t) => {
  const plane = await ownControlPlane(t)
  const namespace = await plane.namespace(t)
  await plane.kubectl(['create', 'configmap', 'kept', `--namespace=${namespace}`])
  await plane.restart('etcd', 1)
  await plane.restart('kube-apiserver', 1)
  await plane.ready()
  t.match(await plane.kubectl(['get', 'configmap/kept', `--namespace=${namespace}`]), { code: 0 })

  plane.signal('kube-apiserver', 'SIGSTOP')
  t.match(await plane.kubectl(['get', 'namespaces', '--request-timeout=1s']), { code: 1 })
  plane.signal('kube-apiserver', 'SIGCONT')
  await plane.ready()
  t.match(await plane.kubectl(['get', 'namespaces']), { code: 0 })
})

t.test('who has no right is refused, and the audit log says so', async (t) => {
  const plane = await ownControlPlane(t, { controllers: true })
  const namespace = await plane.namespace(t)
  const user = `system:serviceaccount:${namespace}:default`
  const refused = await plane.kubectl(['get', 'pacct', `--namespace=${namespace}`, `--as=${user}`])
  t.match(refused, { code: 1, stderr: /provideraccounts.korproxy.dev is forbidden/ })

  await plane.kubectl(['create', 'role', 'reader', '--verb=list', '--resource=secrets', `--namespace=${namespace}`])
  const binding = ['create', 'rolebinding', 'reader', '--role=reader', `--user=${user}`, `--namespace=${namespace}`]
  t.match(await plane.kubectl(binding), { code: 0 })
  const list = () => plane.kubectl(['get', 'secrets', `--namespace=${namespace}`, `--as=${user}`])
  t.match(await eventually(list, ({ code }) => code === 0), { code: 0 }, 'once the API server has seen the binding')

  const decisions = readFileSync(plane.auditLogPath, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
    .filter(({ impersonatedUser }) => impersonatedUser?.username === user)
    .filter(({ objectRef }) => objectRef !== undefined)
    .map(({ objectRef, annotations }) => `${objectRef.resource} ${annotations['authorization.k8s.io/decision']}`)
  t.strictSame([decisions.at(0), decisions.at(-1)], ['provideraccounts forbid', 'secrets allow'])
})

t.test('a control plane whose test was killed ends by itself', async (t) => {
  const owner = spawn('sleep', ['600'])
  const kubeconfig = await mustRun(clusterScript('start-control-plane'), ['--until', String(owner.pid)])
  const directory = dirname(kubeconfig)
  t.teardown(() => mustRun(clusterScript('stop'), [directory]))
  const server = readFileSync(`${directory}/pid/kube-apiserver`, 'utf8').trim()
  t.ok(existsSync(`/proc/${server}`))
  owner.kill('SIGKILL')
  const remains = () => existsSync(`/proc/${server}`) || existsSync(directory)
  t.equal(await eventually(remains, (remaining) => !remaining), false)
})

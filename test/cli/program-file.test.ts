import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

/** The bundle that `npm run build` makes. */
const PROGRAM = fileURLToPath(new URL('../../dist/korproxy.js', import.meta.url))
const ROOT = fileURLToPath(new URL('../../', import.meta.url))

function run(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], ...environment },
  })
  return { status, stdout, stderr }
}

t.test('R10.2 the program ends with 0, 1 or 2, as the command line says', (t) => {
  t.strictSame(run(['config', 'validate', 'examples/quickstart']), {
    status: 0,
    stdout: 'examples/quickstart: valid: 1 ProviderAccount, 2 ProviderGroups, 1 RoutingProfile\n',
    stderr: '',
  })
  t.match(run(['config', 'validate', 'no/such/folder']), {
    status: 1,
    stdout: '',
    stderr: /^korproxy: KP-CONF-215 no\/such\/folder cannot be read: ENOENT\n/,
  })
  t.match(run(['config', 'validat']), { status: 2, stdout: '', stderr: /Did you mean validate\?/ })
  t.end()
})

t.test('R10.2 it is a plugin of kubectl, by the name that kubectl looks for', (t) => {
  const { bin } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  t.strictSame(bin, { korproxy: 'dist/korproxy.js', 'kubectl-korproxy': 'dist/korproxy.js' })
  const folder = mkdtempSync(join(tmpdir(), 'korproxy-cli-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const plugin = join(folder, 'kubectl-korproxy')
  // As npm installs it.
  chmodSync(PROGRAM, 0o755)
  symlinkSync(PROGRAM, plugin)
  const path = `${dirname(process.execPath)}:${process.env['PATH']}`
  const { status, stdout } = spawnSync(plugin, ['profile', 'switch', '--help'], {
    encoding: 'utf8',
    env: { PATH: path },
  })
  t.equal(status, 0)
  t.match(stdout, /^Usage: kubectl korproxy profile switch \[options\] <name>\n/)
  t.match(stdout, '\nExamples:\n  kubectl korproxy profile switch weekend\n')
  t.end()
})

t.test('KUBECONFIG leads to its cluster', (t) => {
  const { status, stderr } = run(['status'], { KUBECONFIG: '/nonexistent/kubeconfig' })
  t.equal(status, 1)
  t.match(stderr, /^korproxy: KP-SYS-53[01] /)
  t.end()
})

t.test('a kubeconfig that is not there is told as such', (t) => {
  const home = t.testdir({})
  const absent = run(['status', '-A'], { HOME: home })
  t.equal(absent.status, 1)
  t.match(
    absent.stderr,
    /^korproxy: KP-SYS-531 read kubeconfig: .*: no kubeconfig was found, neither KUBECONFIG nor ~\/\.kube\/config, and this is no pod\n/,
  )
  const misnamed = run(['status', '--kubeconfig', '/nonexistent/kubeconfig'], { HOME: home })
  t.equal(misnamed.status, 1)
  t.match(misnamed.stderr, /^korproxy: KP-SYS-531 read kubeconfig: .*: \/nonexistent\/kubeconfig does not exist\n/)
  t.end()
})

t.test('options come from the environment too', (t) => {
  const { status, stderr } = run(['status'], { KORPROXY_SERVER: 'http://127.0.0.1:9', KORPROXY_TOKEN: 'x' })
  t.equal(status, 1)
  t.match(stderr, 'KP-NET-312 The gateway at http://127.0.0.1:9 cannot be reached')
  t.end()
})

t.test('a reader that has had enough ends the program without an error', async (t) => {
  const child = spawn(process.execPath, [PROGRAM, 'completion', 'fish'], { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.destroy()
  let err = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const [status] = await once(child, 'exit')
  t.equal(status, 0)
  t.equal(err, '')
})

t.test('an output that cannot be written is exit code 1 and one line', { skip: !existsSync('/dev/full') }, (t) => {
  const full = openSync('/dev/full', 'w')
  const { status, stderr } = spawnSync(process.execPath, [PROGRAM, 'version'], {
    encoding: 'utf8',
    stdio: ['ignore', full, 'pipe'],
  })
  closeSync(full)
  t.equal(status, 1)
  t.match(stderr, /^korproxy: standard output cannot be written: ENOSPC.*\n$/)
  t.end()
})

t.test('serve tells its starter where it listens, and where its management token is', async (t) => {
  const state = t.testdir({})
  const args = ['serve', '--config', 'examples/quickstart', '--port', '0', '--state-dir', state, '--log-level', 'error']
  const starter = `import { main } from ${JSON.stringify(PROGRAM)}
process.exitCode = await main(${JSON.stringify(args)}, { listening: (gateway) => console.log(JSON.stringify(gateway)) })`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', starter], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data')
  const { url, managementTokenPath } = JSON.parse(String(line))
  t.equal((await fetch(`${url}/readyz`)).status, 200)
  const token = readFileSync(managementTokenPath, 'utf8').trim()
  const status = await fetch(`${url}/_korproxy/status`, { headers: { authorization: `Bearer ${token}` } })
  t.equal(status.status, 200)
  child.kill('SIGTERM')
  const [code] = await once(child, 'exit')
  t.equal(code, 0)
})

t.test('R3.8 mock-provider says where it listens, answers, and ends at SIGTERM', async (t) => {
  const child = spawn(process.execPath, [PROGRAM, 'mock-provider', '--port', '0', '--chunks', '3'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data')
  const [, url] = /^The simulator listens on (http:\/\/127\.0\.0\.1:\d+)\n$/.exec(String(line)) ?? []
  t.type(url, 'string')
  const reply = await fetch(`${url}/v1/models`, { headers: { authorization: 'Bearer sk-1' } })
  t.equal(reply.status, 200)
  await reply.body?.cancel()
  child.kill('SIGTERM')
  const [status] = await once(child, 'exit')
  t.equal(status, 0)
})

t.test('a port that is taken ends serve and mock-provider at once, with KP-SYS-521', async (t) => {
  const holder = createServer()
  await new Promise<void>((resolve) => {
    holder.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() => holder.close())
  // A server that listens on a port has an address of this kind.
  const { port } = holder.address() as AddressInfo
  const state = mkdtempSync(join(tmpdir(), 'korproxy-cli-'))
  t.teardown(() => rmSync(state, { recursive: true, force: true }))
  const serve = run(['serve', '--config', 'examples/quickstart', '--port', String(port), '--state-dir', state])
  t.equal(serve.status, 1)
  t.match(serve.stderr, `korproxy: KP-SYS-521 Cannot listen on 127.0.0.1:${port}: EADDRINUSE.\n`)
  const mock = run(['mock-provider', '--port', String(port)])
  t.equal(mock.status, 1)
  t.match(mock.stderr, `korproxy: KP-SYS-521 Cannot listen on 127.0.0.1:${port}: EADDRINUSE.\n`)
  t.match(mock.stderr, 'for the simulator beside `serve` with --mock-provider PORT')
})

t.test('a host that is none, and a state directory that is none, end serve with a code', async (t) => {
  const state = mkdtempSync(join(tmpdir(), 'korproxy-cli-'))
  t.teardown(() => rmSync(state, { recursive: true, force: true }))
  const options = ['serve', '--config', 'examples/quickstart', '--port', '0']
  const host = run([...options, '--state-dir', state, '--host', 'no host'])
  t.equal(host.status, 1)
  t.match(host.stderr, /^korproxy: KP-SYS-521 Cannot listen on no host: E\w+\.\n/)
  const directory = run([...options, '--state-dir', '/dev/null/state'])
  t.equal(directory.status, 1)
  t.match(
    directory.stderr,
    'korproxy: KP-SYS-522 /dev/null/state/management-token cannot be read or written: ENOTDIR.\n',
  )
})

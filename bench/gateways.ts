import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PASS_THROUGH_KEY, TRANSLATED_KEY, TRANSLATED_MODEL, writeKorproxyConfig } from './korproxy-config.ts'
import type { Places } from './places.ts'
import { isInstalled } from './setup.ts'

/** How requests of one kind are addressed to a gateway. */
export interface Addressing {
  readonly model: string
  readonly headers: Readonly<Record<string, string>>
}

/** A program under test. Without a command the requests go straight to the mock upstream. */
export interface Gateway {
  readonly name: string
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** Missing = `/v1/chat/completions` at the gateway's port. */
  readonly url?: string
  /** A program that picks its own port prints its address: the first group of this expression. */
  readonly urlPattern?: RegExp
  readonly passThrough: Addressing
  /** An OpenAI request that the gateway sends to an Anthropic upstream. Missing = not measured. */
  readonly translated?: Addressing
  readonly startTimeoutS?: number
  readonly warmupS?: number
  /** Requests per second of the steady-rate scenario. */
  readonly steadyRate?: number
}

const OPENAI: Addressing = { model: 'gpt-4o-mini', headers: { authorization: 'Bearer bench' } }

export function limits(places: Places): Gateway[] {
  return [
    { name: 'direct', url: `http://127.0.0.1:${places.mockPort}/v1/chat/completions`, passThrough: OPENAI },
    {
      name: 'nginx',
      command: ['nginx', '-c', renderConfig(places, 'nginx.conf'), '-p', places.run],
      passThrough: OPENAI,
    },
  ]
}

/** KorProxy with everything on: client key, 1,000 rules, three accounts, metrics and the access log. */
export function korproxy(places: Places): Gateway[] {
  const bundle = join(places.repository, 'dist', 'korproxy.js')
  if (!existsSync(bundle)) return leaveOut('korproxy', 'dist/korproxy.js is missing; build it first')
  const config = writeKorproxyConfig(places)
  return [
    {
      name: 'korproxy',
      command: [process.execPath, bundle, 'serve', '--config', config, '--port', String(places.port)],
      // As in the image.
      environment: { NODE_ENV: 'production', MALLOC_ARENA_MAX: '1' },
      passThrough: { model: OPENAI.model, headers: { authorization: `Bearer ${PASS_THROUGH_KEY}` } },
      translated: { model: TRANSLATED_MODEL, headers: { authorization: `Bearer ${TRANSLATED_KEY}` } },
    },
  ]
}

export function peers(places: Places): Gateway[] {
  return [...haproxy(places), ...envoy(places), ...litellm(places), ...portkey(places), ...tensorzero(places)]
}

/** Further gateways from a JSON file: an array of Gateway, with {PORT}, {MOCK}, {NODE} and {RUN} filled in. */
export function extraGateways(places: Places, file: string): Gateway[] {
  const values = { PORT: places.port, MOCK: places.mockPort, NODE: process.execPath, RUN: places.run }
  const text = readFileSync(file, 'utf8')
  return JSON.parse(Object.entries(values).reduce((all, [key, value]) => all.replaceAll(`{${key}}`, `${value}`), text))
}

function haproxy(places: Places): Gateway[] {
  if (!isInstalled('haproxy')) return leaveOut('haproxy', 'not installed')
  const config = renderConfig(places, 'haproxy.cfg')
  return [{ name: 'haproxy', command: ['haproxy', '-db', '-f', config], passThrough: OPENAI }]
}

function envoy(places: Places): Gateway[] {
  const program = join(places.scratch, 'envoy', 'bin', 'envoy')
  if (!existsSync(program)) return leaveOut('envoy', 'not installed')
  const config = renderConfig(places, 'envoy.yaml')
  const options = ['--concurrency', '1', '--log-level', 'error', '--disable-hot-restart']
  return [{ name: 'envoy', command: [program, '-c', config, ...options], passThrough: OPENAI }]
}

/** Cannot do 500 requests per second on one core, so its steady rate is 50. */
function litellm(places: Places): Gateway[] {
  const program = join(places.scratch, 'litellm', 'bin', 'litellm')
  if (!existsSync(program)) return leaveOut('litellm', 'not installed')
  const config = renderConfig(places, 'litellm.yaml')
  const address = ['--host', '127.0.0.1', '--port', String(places.port)]
  return [
    {
      name: 'litellm',
      command: [program, '--config', config, ...address, '--num_workers', '1'],
      environment: {
        LITELLM_LOG: 'ERROR',
        LITELLM_TELEMETRY: 'False',
        LITELLM_LOCAL_MODEL_COST_MAP: 'True',
        LITELLM_MODE: 'PRODUCTION',
        NO_DOCS: 'True',
        DISABLE_ADMIN_UI: 'True',
        LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY: 'true',
      },
      passThrough: OPENAI,
      translated: { model: TRANSLATED_MODEL, headers: OPENAI.headers },
      startTimeoutS: 90,
      warmupS: 4,
      steadyRate: 50,
    },
  ]
}

function portkey(places: Places): Gateway[] {
  const program = join(places.scratch, 'portkey/node_modules/@portkey-ai/gateway/build/start-server.js')
  if (!existsSync(program)) return leaveOut('portkey', 'not installed')
  const upstream = { 'x-portkey-custom-host': `http://127.0.0.1:${places.mockPort}/v1` }
  return [
    {
      name: 'portkey',
      command: [process.execPath, program, `--port=${places.port}`, '--headless'],
      environment: { NODE_ENV: 'production' },
      passThrough: { model: OPENAI.model, headers: { ...OPENAI.headers, ...upstream, 'x-portkey-provider': 'openai' } },
      translated: {
        model: TRANSLATED_MODEL,
        headers: { ...OPENAI.headers, ...upstream, 'x-portkey-provider': 'anthropic' },
      },
    },
  ]
}

function tensorzero(places: Places): Gateway[] {
  const environment = join(places.scratch, 'tensorzero')
  const [installed] = globSync(join(environment, 'lib/python3*/site-packages/tensorzero'))
  if (!installed) return leaveOut('tensorzero', 'not installed')
  const host = join(places.bench, 'conf', 'tensorzero_host.py')
  return [
    {
      name: 'tensorzero',
      command: [join(environment, 'bin', 'python'), host, renderConfig(places, 'tensorzero.toml')],
      urlPattern: /URL (\S+)/,
      passThrough: { model: 'tensorzero::model_name::gpt-4o-mini', headers: OPENAI.headers },
    },
  ]
}

/** Copies a file of `conf/` with this run's ports and folder filled in. */
function renderConfig(places: Places, file: string): string {
  const values = { PORT: places.port, MOCK: places.mockPort, RUN: places.run }
  const text = readFileSync(join(places.bench, 'conf', file), 'utf8')
  const rendered = join(places.run, file)
  mkdirSync(places.run, { recursive: true })
  writeFileSync(
    rendered,
    Object.entries(values).reduce((all, [key, value]) => all.replaceAll(`@${key}@`, `${value}`), text),
  )
  return rendered
}

function leaveOut(name: string, reason: string): [] {
  process.stderr.write(`${name} is left out: ${reason}\n`)
  return []
}

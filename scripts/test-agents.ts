import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Standalone, startStandalone } from '../src/cli/standalone.ts'
import { type Simulator, startSimulator } from '../src/simulator/simulator.ts'
import { createLogger } from '../src/telemetry/log.ts'
import { AGENTS, type Agent } from '../test/agents/agents.ts'
import { installAgent } from '../test/agents/install-agent.ts'
import { runAgent } from '../test/agents/run-agent.ts'
import { CLIENT_KEY, manifests, UPSTREAMS, type Upstream } from '../test/sdk/upstreams.ts'

/** Coding agents as they are, against KorProxy with the simulator as every provider. `npm run test:agents [-- WORD]` runs those with WORD in their name. */
interface Stand {
  readonly simulator: Simulator
  readonly standalone: Standalone
  close(): Promise<void>
}

async function openStand(): Promise<Stand> {
  const folder = mkdtempSync(join(tmpdir(), 'korproxy-agents-'))
  const simulator = await startSimulator()
  writeFileSync(join(folder, 'korproxy.yaml'), manifests(UPSTREAMS).replaceAll('{simulator}', simulator.url))
  const standalone = await startStandalone({
    config: folder,
    namespace: 'default',
    host: '127.0.0.1',
    port: 0,
    stateDirectory: join(folder, 'state'),
    managementToken: 'kpm-agents',
    environment: {},
    log: createLogger({ level: 'error', destination: { write: () => undefined } }).component('gateway'),
  })
  return {
    simulator,
    standalone,
    async close() {
      await standalone.close()
      await simulator.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const TURNS = [
  { name: 'text', prompt: 'Say hello', expected: ({ label, model }: Upstream) => `Hello from ${label} ${model}.` },
  // The simulator asks for `echo hello-from-tool`; its answer to the result quotes it.
  { name: 'tool', prompt: 'USETOOL', expected: () => 'Tool results:' },
] as const

/** Why the turn is not as it should be, or undefined. */
async function judge(
  { simulator, standalone }: Stand,
  agent: Agent,
  folder: string,
  { upstream, turn }: { upstream: Upstream; turn: (typeof TURNS)[number] },
): Promise<string | undefined> {
  simulator.reset()
  const { code, output } = await runAgent(agent, folder, {
    url: standalone.url,
    key: CLIENT_KEY,
    model: `${upstream.name}-chat`,
    prompt: turn.prompt,
  })
  const requests = simulator.requests()
  const said = (text: string) => requests.some(({ body }) => Buffer.from(body).toString().includes(text))
  if (code !== 0) return `exit ${code}: ${lastLines(output)}`
  if (!output.includes(turn.expected(upstream))) return `unexpected answer: ${lastLines(output)}`
  if (turn.name === 'tool' && !said('hello-from-tool')) return 'the result of the tool did not reach the provider'
  const keys = new Set(requests.map(({ key }) => key))
  if (keys.size !== 1 || !keys.has(`sk-${upstream.name}`)) return `the provider saw the keys ${[...keys].join(', ')}`
  return undefined
}

function lastLines(output: string): string {
  return output.trim().split('\n').slice(-5).join(' | ').slice(-600)
}

const [word = ''] = process.argv.slice(2)
const counts = { passed: 0, failed: 0, skipped: 0 }
const stand = await openStand()
for (const agent of AGENTS.filter(({ name }) => name.toLowerCase().includes(word.toLowerCase()))) {
  const installed = installAgent(agent)
  for (const name of agent.upstreams) {
    const upstream = UPSTREAMS.find((candidate) => candidate.name === name)
    if (upstream === undefined) throw new Error(`no upstream ${name}`)
    for (const turn of TURNS) {
      const title = `${agent.name} ${agent.version} at ${name}: ${turn.name}`
      if ('missing' in installed) {
        counts.skipped += 1
        console.log(`skip ${title} (${installed.missing})`)
        continue
      }
      const startedAt = performance.now()
      const reason = await judge(stand, agent, installed.folder, { upstream, turn })
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
      counts[reason === undefined ? 'passed' : 'failed'] += 1
      console.log(reason === undefined ? `ok   ${title} (${seconds} s)` : `FAIL ${title}: ${reason}`)
    }
  }
}
await stand.close()
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
process.exitCode = counts.failed === 0 && (counts.passed > 0 || process.env['CI'] === undefined) ? 0 : 1

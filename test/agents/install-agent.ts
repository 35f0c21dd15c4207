import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Agent } from './agents.ts'

const CACHE = join(import.meta.dirname, '..', '..', '.cache', 'agents')
const INSTALL_TIMEOUT_MS = 600_000

/** The folder that holds the agent, installed by npm on first use; or why there is none. */
export function installAgent(agent: Agent): { readonly folder: string } | { readonly missing: string } {
  const folder = join(CACHE, `${agent.binary}-${agent.version}`)
  const stamp = join(folder, 'complete')
  if (existsSync(stamp)) return { folder }
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"private": true}\n')
  const specification = `${agent.package}@${agent.version}`
  const npm = spawnSync(
    'npm',
    ['install', '--prefix', folder, '--no-audit', '--no-fund', '--loglevel=error', specification],
    { cwd: folder, encoding: 'utf8', timeout: INSTALL_TIMEOUT_MS },
  )
  if (npm.status !== 0) return { missing: `npm cannot install ${specification}: ${npm.stderr.trim().split('\n')[0]}` }
  writeFileSync(stamp, '')
  return { folder }
}

import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The token of `/_korproxy/*`: made once, readable by its owner only, so that the command line on the same machine finds it. */
export function managementToken(stateDirectory: string): string {
  const path = managementTokenPath(stateDirectory)
  const known = readToken(path)
  if (known !== undefined) return known
  const token = `kpm-${randomBytes(32).toString('base64url')}`
  mkdirSync(stateDirectory, { recursive: true, mode: 0o700 })
  writeFileSync(path, `${token}\n`, { mode: 0o600 })
  return token
}

export function managementTokenPath(stateDirectory: string): string {
  return join(stateDirectory, 'management-token')
}

/** Undefined when no gateway with this state has started yet. */
export function readToken(path: string): string | undefined {
  try {
    const text = readFileSync(path, 'utf8').trim()
    return text === '' ? undefined : text
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

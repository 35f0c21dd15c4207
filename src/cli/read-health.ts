import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SavedHealth } from '#gateway/account-registry.ts'
import { readSavedHealth } from './saved-health.ts'

/** What the gateway of this state directory last knew of its accounts; nothing if it never ran. @throws when the file is damaged */
export function readHealth(stateDirectory: string): SavedHealth {
  try {
    return readSavedHealth(JSON.parse(readFileSync(join(stateDirectory, 'health.json'), 'utf8'))).health
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {}
    throw error
  }
}

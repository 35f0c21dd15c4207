import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Logger } from 'pino'
import type { SavedHealth } from '#gateway/account-registry.ts'
import { readSavedHealth } from './saved-health.ts'

/** What is lost at most when the process is killed. */
const SAVE_INTERVAL_MS = 5_000

/** Health of accounts over restarts (R2.9): a rate limit does not end because the gateway was restarted. */
export class HealthFile {
  readonly #path: string
  readonly #log: Logger
  #timer: NodeJS.Timeout | undefined

  constructor(path: string, log: Logger) {
    this.#path = path
    this.#log = log
  }

  /** Nothing known yet counts as healthy; an unreadable file is reported and then as good as none. */
  load(): SavedHealth {
    try {
      const { health, rejected } = readSavedHealth(JSON.parse(readFileSync(this.#path, 'utf8')))
      if (rejected.length > 0) {
        this.#log.warn({ accounts: rejected, path: this.#path }, 'saved health of some accounts is not readable')
      }
      return health
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) {
        this.#log.warn({ err: error, path: this.#path }, 'saved health is not readable; starting without it')
      }
      return {}
    }
  }

  watch(read: () => SavedHealth): void {
    this.#timer = setInterval(() => this.#save(read()), SAVE_INTERVAL_MS)
    this.#timer.unref()
  }

  close(last: SavedHealth): void {
    clearInterval(this.#timer)
    this.#save(last)
  }

  #save(health: SavedHealth): void {
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 })
      const next = `${this.#path}.next`
      writeFileSync(next, JSON.stringify(health), { mode: 0o600 })
      renameSync(next, this.#path)
    } catch (error) {
      // Serving goes on: health is learnt again. The operator must know that it will not survive.
      this.#log.warn({ err: error, path: this.#path }, 'health cannot be saved')
    }
  }
}

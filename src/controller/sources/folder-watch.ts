import { type FSWatcher, watch } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { isMissing, reasonOf } from './list-manifests.ts'

/** Quiet time after the last event before a reading: editors write in several steps. */
const QUIET_MS = 200
/** A reading comes after this time at the latest, however busy the folder is. */
const LATEST_MS = 600

export interface FolderWatchOptions {
  readonly root: string
  readonly onEvent: () => void
  readonly onFailure: (folder: string, reason: string) => void
}

/** Watches folders, and tells once when the events of a change are over. Where watching fails, the regular reading has to do. */
export class FolderWatch {
  readonly #options: FolderWatchOptions
  /** By device and inode: a folder that was replaced is another one under the same name. */
  #watchers: ReadonlyMap<string, FSWatcher> = new Map()
  #quiet: NodeJS.Timeout | undefined
  #firstEventAt: number | undefined

  constructor(options: FolderWatchOptions) {
    this.#options = options
  }

  /** Watches these folders, and the root's parent for the case that the root itself is replaced. */
  async follow(folders: readonly string[]): Promise<void> {
    const next = new Map<string, FSWatcher>()
    for (const folder of folders) await this.#add(next, folder, () => this.#settle())
    const { root } = this.#options
    await this.#add(next, dirname(root), (name) => {
      // A mounted ConfigMap changes by moving its `..data` link.
      if (name === null || name === basename(root) || name.startsWith('..')) this.#settle()
    })
    for (const [key, watcher] of this.#watchers) if (!next.has(key)) watcher.close()
    this.#watchers = next
  }

  close(): void {
    clearTimeout(this.#quiet)
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers = new Map()
  }

  async #add(next: Map<string, FSWatcher>, folder: string, onEvent: (name: string | null) => void): Promise<void> {
    try {
      const { dev, ino } = await stat(folder)
      const key = `${dev}:${ino}`
      if (next.has(key)) return
      next.set(key, this.#watchers.get(key) ?? this.#start(folder, onEvent))
    } catch (cause) {
      if (!isMissing(cause)) this.#options.onFailure(folder, reasonOf(cause))
    }
  }

  #start(folder: string, onEvent: (name: string | null) => void): FSWatcher {
    const watcher = watch(folder, (_type, name) => onEvent(name))
    watcher.on('error', (error) => this.#options.onFailure(folder, reasonOf(error)))
    return watcher
  }

  #settle(): void {
    const now = Date.now()
    this.#firstEventAt ??= now
    clearTimeout(this.#quiet)
    const wait = Math.max(0, Math.min(QUIET_MS, this.#firstEventAt + LATEST_MS - now))
    this.#quiet = setTimeout(() => {
      this.#firstEventAt = undefined
      this.#options.onEvent()
    }, wait)
  }
}

import { KorProxyError } from '#errors/korproxy-error.ts'
import { EMPTY_SET, FolderReader, type FolderReaderOptions, type FolderSet } from './folder-reader.ts'
import { FolderWatch } from './folder-watch.ts'

/** A reading without any event: finds what a file system does not tell of (network mounts, lost events). */
const RESCAN_MS = 30_000
/** An empty file is looked at again after this time. */
const UNSETTLED_MS = 300

/** The part of a pino logger that is used here. */
interface SourceLog {
  warn(details: object, message: string): void
}
export interface FolderSourceOptions extends FolderReaderOptions {
  /** Called with each new set, never with the first one, never twice at once. */
  readonly onChange: (set: FolderSet) => void
  readonly log: SourceLog
}
export interface FolderSource {
  current(): FolderSet
  close(): Promise<void>
}

/** Reads a folder of manifests, or a single file, once. @throws KP-CONF-215 when it cannot be read. */
export async function readFolder(path: string, options: FolderReaderOptions): Promise<FolderSet> {
  return (await new FolderReader(path, options).read()).set
}

/**
 * Reads a folder of manifests, or a single file, and follows its changes; a change is told in well under a second.
 * What is invalid is a problem of the set, and the last good form of the object stays.
 * @throws KP-CONF-215 when the path cannot be read at the start.
 */
export async function openFolderSource(path: string, options: FolderSourceOptions): Promise<FolderSource> {
  const source = new WatchedFolder(path, options)
  await source.start()
  return source
}

class WatchedFolder implements FolderSource {
  readonly #path: string
  readonly #options: FolderSourceOptions
  readonly #reader: FolderReader
  readonly #watch: FolderWatch
  readonly #rescan: NodeJS.Timeout
  #set: FolderSet = EMPTY_SET
  #reading: Promise<void> = Promise.resolve()
  #waiting = false
  #closed = false
  #unsettled: NodeJS.Timeout | undefined

  constructor(path: string, options: FolderSourceOptions) {
    this.#path = path
    this.#options = options
    this.#reader = new FolderReader(path, options)
    this.#watch = new FolderWatch({
      root: path,
      onEvent: () => this.#readSoon(),
      onFailure: (folder, reason) =>
        options.log.warn({ folder, reason }, 'folder cannot be watched; it is read every 30 s'),
    })
    this.#rescan = setInterval(() => this.#readSoon(), RESCAN_MS)
  }

  async start(): Promise<void> {
    try {
      const { set, folders } = await this.#reader.read()
      this.#set = set
      await this.#watch.follow(folders)
      // What changed between the reading and the watching.
      this.#readSoon()
    } catch (cause) {
      await this.close()
      throw cause
    }
  }

  current(): FolderSet {
    return this.#set
  }

  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#rescan)
    clearTimeout(this.#unsettled)
    await this.#reading
    this.#watch.close()
  }

  /** One reading at a time; whatever is asked for meanwhile is one more. */
  #readSoon(): void {
    if (this.#waiting) return
    this.#waiting = true
    this.#reading = this.#reading.then(() => this.#read())
  }

  async #read(): Promise<void> {
    this.#waiting = false
    if (this.#closed) return
    try {
      const { set, folders, unsettled } = await this.#reader.read()
      await this.#watch.follow(folders)
      clearTimeout(this.#unsettled)
      if (unsettled) this.#unsettled = setTimeout(() => this.#readSoon(), UNSETTLED_MS)
      if (set === this.#set) return
      this.#set = set
    } catch (cause) {
      if (!(cause instanceof KorProxyError)) throw cause
      this.#options.log.warn(
        { code: cause.code, path: this.#path },
        `${cause.message}; the last configuration stays in use`,
      )
      return
    }
    this.#options.onChange(this.#set)
  }
}

import { AccessLineWriter } from './access-line.ts'
import { AccessLogFiles } from './access-log-files.ts'
import type { RequestEvent } from './request-event.ts'
import { writeDescriptor } from './write-descriptor.ts'

/** Where the access log tells its own trouble; a pino logger is one. */
export interface ComplaintLog {
  error(fields: object, message: string): void
}

export interface AccessLogOptions {
  /** Where the daily files go; absent = standard output. */
  readonly directory?: string
  /** Days that a file is kept. */
  readonly retentionDays?: number
  readonly log: ComplaintLog
  /** Unix time, milliseconds. */
  readonly now?: () => number
}

const STANDARD_OUTPUT = 1
const BUFFER_BYTES = 1_048_576
/** UTF-8 bytes that one UTF-16 unit becomes at most. */
const MAX_BYTES_PER_UNIT = 3
const FLUSH_MS = 100
const DEFAULT_RETENTION_DAYS = 30
const COMPLAINT_EVERY_MS = 60_000

/**
 * The access log, JSON lines. Writing a line fills one of two buffers that are used again and again, and nothing else: a slow or full
 * disk costs lines, which are counted, but never a request.
 */
export class AccessLog {
  readonly #files: AccessLogFiles | undefined
  readonly #log: ComplaintLog
  readonly #now: () => number
  readonly #timer: NodeJS.Timeout
  readonly #lines = new AccessLineWriter()
  #filling = Buffer.allocUnsafe(BUFFER_BYTES)
  #spare = Buffer.allocUnsafe(BUFFER_BYTES)
  #used = 0
  #buffered = 0
  #batchAtMs = 0
  #writing: Promise<void> | undefined
  #lost = 0
  #lastComplaintMs = Number.NEGATIVE_INFINITY

  constructor(options: AccessLogOptions) {
    const { directory, retentionDays = DEFAULT_RETENTION_DAYS } = options
    this.#files = directory === undefined ? undefined : new AccessLogFiles(directory, retentionDays)
    this.#log = options.log
    this.#now = options.now ?? Date.now
    this.#timer = setInterval(() => this.#startFlush(), FLUSH_MS)
    this.#timer.unref()
  }

  /** Lines that could not be written since the start. */
  get lost(): number {
    return this.#lost
  }

  /** Never throws and never waits. */
  write(event: RequestEvent): void {
    const line = this.#lines.write(event)
    if (!this.#hasRoom(line)) this.#startFlush()
    if (!this.#hasRoom(line)) {
      this.#lose(1, new Error('the access log cannot be written as fast as requests come'))
      return
    }
    if (this.#used === 0) this.#batchAtMs = this.#now()
    this.#used += this.#filling.write(line, this.#used, 'utf8')
    this.#buffered += 1
  }

  /** Opens the file anew with the next line, for whoever moved it away. */
  rotate(): void {
    this.#files?.reopen()
  }

  /** Writes what is left. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#flush()
    await this.#files?.close()
  }

  #hasRoom(line: string): boolean {
    return this.#used + line.length * MAX_BYTES_PER_UNIT <= BUFFER_BYTES
  }

  async #flush(): Promise<void> {
    while (this.#used > 0 || this.#writing !== undefined) {
      this.#startFlush()
      await this.#writing
    }
  }

  /** While one batch is being written the next one gathers. */
  #startFlush(): void {
    if (this.#writing !== undefined || this.#used === 0) return
    const batch = this.#filling
    const [bytes, lines, atMs] = [batch.subarray(0, this.#used), this.#buffered, this.#batchAtMs]
    this.#filling = this.#spare
    this.#used = 0
    this.#buffered = 0
    this.#writing = this.#append(bytes, atMs)
      .catch((error: unknown) => this.#lose(lines, error))
      .then(() => {
        this.#spare = batch
        this.#writing = undefined
      })
  }

  #append(bytes: Buffer, atMs: number): Promise<void> {
    if (this.#files !== undefined) return this.#files.append(bytes, atMs)
    return writeDescriptor(STANDARD_OUTPUT, bytes)
  }

  #lose(lines: number, error: unknown): void {
    this.#lost += lines
    const nowMs = this.#now()
    if (nowMs - this.#lastComplaintMs < COMPLAINT_EVERY_MS) return
    this.#lastComplaintMs = nowMs
    this.#log.error({ err: error, lost: this.#lost }, 'access log: lines lost')
  }
}

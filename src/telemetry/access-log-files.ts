import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

const DAY_MS = 86_400_000

/** Daily files of access lines: `access-2026-11-21.jsonl`, days in UTC. A new file removes those past their retention. */
export class AccessLogFiles {
  readonly #directory: string
  readonly #retentionDays: number
  #day = ''
  #handle: FileHandle | undefined

  constructor(directory: string, retentionDays: number) {
    this.#directory = directory
    this.#retentionDays = retentionDays
  }

  /** @param atMs Unix time, milliseconds; says which day's file */
  async append(bytes: Uint8Array, atMs: number): Promise<void> {
    const day = dayOf(atMs)
    if (day === this.#day && this.#handle !== undefined) return writeAll(this.#handle, bytes)
    await this.close()
    await mkdir(this.#directory, { recursive: true, mode: 0o700 })
    this.#handle = await open(join(this.#directory, `access-${day}.jsonl`), 'a', 0o600)
    this.#day = day
    await writeAll(this.#handle, bytes)
    await this.#prune(atMs)
  }

  /** The next append opens its file anew. */
  reopen(): void {
    this.#day = ''
  }

  async #prune(nowMs: number): Promise<void> {
    const oldest = dayOf(nowMs - this.#retentionDays * DAY_MS)
    for (const { name, day } of await accessLogFiles(this.#directory)) {
      if (day < oldest) await rm(join(this.#directory, name), { force: true })
    }
  }

  async close(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close()
  }
}

export interface AccessLogFile {
  readonly name: string
  /** `YYYY-MM-DD` */
  readonly day: string
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  let written = 0
  while (written < bytes.length) written += (await handle.write(bytes, written)).bytesWritten
}

/** In the order of days. */
export async function accessLogFiles(directory: string): Promise<readonly AccessLogFile[]> {
  const names = (await readdir(directory)).toSorted()
  return names.flatMap((name) => {
    const day = name.match(/^access-(\d{4}-\d{2}-\d{2})\.jsonl$/)?.[1]
    return day === undefined ? [] : [{ name, day }]
  })
}

export function dayOf(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10)
}

import { write } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const RETRY_MS = 10
const writeSome = promisify(write)

/**
 * Writes all bytes to an open file, pipe or terminal from another thread: `process.stdout` would hold up every request where nobody
 * reads the pipe.
 * @see https://nodejs.org/docs/latest-v24.x/api/process.html#a-note-on-process-io
 */
export async function writeDescriptor(descriptor: number, bytes: Uint8Array): Promise<void> {
  let written = 0
  while (written < bytes.length) {
    try {
      written += (await writeSome(descriptor, bytes, written)).bytesWritten
    } catch (error) {
      // A full pipe that was opened without waiting.
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error
      await sleep(RETRY_MS)
    }
  }
}

import { AccessLog } from '#telemetry/access-log.ts'
import { CHAT } from './request-events.ts'

/** Started by access-log.test.ts: more lines than a pipe holds, and a sign of life now and then. */
const LINES = 20_000

const log = new AccessLog({ log: { error: () => undefined } })
for (let line = 0; line < LINES; line += 1) {
  log.write(CHAT)
  if (line % 1_000 !== 0) continue
  process.stderr.write('alive\n')
  await new Promise((resolve) => setTimeout(resolve, 10))
}
process.stderr.write('written\n')
await log.close()
process.stderr.write(`lost ${log.lost} of ${LINES}\n`)

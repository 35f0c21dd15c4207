import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { AccessLog } from '#telemetry/access-log.ts'
import { eventually } from '../helpers/eventually.ts'
import { CHAT } from './request-events.ts'

function folder(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'korproxy-access-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

function silent(t: Test): { error: (fields: object, message: string) => void } {
  return { error: (fields) => t.fail(JSON.stringify(fields)) }
}

const NOON = Date.UTC(2026, 10, 21, 12)

t.test('R7.6 a request is one JSON line in the file of the day', async (t) => {
  const directory = folder(t)
  const log = new AccessLog({ directory, log: silent(t), now: () => NOON })
  log.write(CHAT)
  log.write({
    ...CHAT,
    usage: undefined,
    costPicoUsd: undefined,
    firstTokenMs: undefined,
    status: 502,
    errorCode: 'KP-NET-300',
  })
  await log.close()
  t.strictSame(readdirSync(directory), ['access-2026-11-21.jsonl'])
  t.equal(statSync(join(directory, 'access-2026-11-21.jsonl')).mode & 0o777, 0o600)
  const [first = '', second = ''] = readFileSync(join(directory, 'access-2026-11-21.jsonl'), 'utf8').split('\n')
  t.strictSame(JSON.parse(first), {
    time: '2026-11-21T12:00:00.000Z',
    correlationId: 'c-1',
    tenant: 'team',
    client: 'app-1',
    profile: 'default',
    group: 'pool',
    provider: 'openai',
    account: 'a',
    model: 'gpt-4o',
    requestedModel: 'gpt-4o',
    type: 'chat',
    format: 'openai-chat',
    stream: true,
    status: 200,
    errorCode: '',
    truncated: false,
    attempts: 2,
    inputTokens: 1000,
    cachedInputTokens: 400,
    outputTokens: 50,
    cost: '0.002500000001',
    latencyMs: 1200,
    firstTokenMs: 300,
  })
  t.match(JSON.parse(second), { cost: null, inputTokens: null, firstTokenMs: null, errorCode: 'KP-NET-300' })
})

t.test('R7.6 a line stays one line whatever the client calls its model', async (t) => {
  const directory = folder(t)
  const log = new AccessLog({ directory, log: silent(t), now: () => NOON })
  log.write({ ...CHAT, requestedModel: 'a\n{"status":200}\r\u2028"\u0000\ud800' })
  log.write({ ...CHAT, requestedModel: 'x'.repeat(10_000_000) })
  await log.close()
  const lines = readFileSync(join(directory, 'access-2026-11-21.jsonl'), 'utf8').trimEnd().split('\n')
  t.equal(lines.length, 2)
  t.equal(JSON.parse(lines[0] ?? '').requestedModel, 'a\n{"status":200}\r\u2028"\u0000\ud800')
  t.equal(JSON.parse(lines[1] ?? '').requestedModel.length, 256)
})

t.test('R7.6 each day has its file, and files older than the retention go', async (t) => {
  const directory = folder(t)
  for (const name of ['access-2026-10-20.jsonl', 'access-2026-10-22.jsonl', 'notes.txt']) {
    writeFileSync(join(directory, name), '')
  }
  let nowMs = NOON
  const log = new AccessLog({ directory, retentionDays: 30, log: silent(t), now: () => nowMs })
  log.write(CHAT)
  await until(() => !readdirSync(directory).includes('access-2026-10-20.jsonl'))
  t.strictSame(readdirSync(directory), ['access-2026-10-22.jsonl', 'access-2026-11-21.jsonl', 'notes.txt'])
  nowMs += 86_400_000
  log.write(CHAT)
  await log.close()
  t.strictSame(readdirSync(directory), ['access-2026-11-21.jsonl', 'access-2026-11-22.jsonl', 'notes.txt'])
})

t.test('R7.6 lines are written within a moment without anybody asking', async (t) => {
  const directory = folder(t)
  const log = new AccessLog({ directory, log: silent(t), now: () => NOON })
  t.teardown(() => log.close())
  log.write(CHAT)
  await until(() => readdirSync(directory).length === 1)
})

t.test('R7.6 ten thousand lines, a batch at a time, come out whole and in order', async (t) => {
  const directory = folder(t)
  const log = new AccessLog({ directory, log: silent(t), now: () => NOON })
  const path = join(directory, 'access-2026-11-21.jsonl')
  const written = (): string[] => (existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : [])
  for (let batch = 0; batch < 5; batch += 1) {
    for (let index = 0; index < 2_000; index += 1) log.write({ ...CHAT, correlationId: `c-${batch * 2_000 + index}` })
    await until(() => written().length === (batch + 1) * 2_000)
  }
  await log.close()
  t.strictSame(
    written().map((line) => JSON.parse(line).correlationId),
    Array.from({ length: 10_000 }, (_, index) => `c-${index}`),
  )
})

t.test(
  'R7.6 lines that come faster than they can be written are lost, counted and told, and what is written is whole',
  async (t) => {
    const directory = folder(t)
    const told: unknown[] = []
    const log = new AccessLog({ directory, log: { error: (fields: object) => told.push(fields) }, now: () => NOON })
    for (let index = 0; index < 10_000; index += 1) log.write(CHAT)
    await log.close()
    const lines = readFileSync(join(directory, 'access-2026-11-21.jsonl'), 'utf8').trimEnd().split('\n')
    for (const line of lines) JSON.parse(line)
    t.ok(log.lost > 0)
    t.equal(lines.length + log.lost, 10_000)
    t.match(told, [{ lost: 1 }])
  },
)

t.test('R7.6 a disk that refuses costs lines, which are counted and told once a minute, never a request', async (t) => {
  const directory = folder(t)
  const inTheWay = join(directory, 'file')
  writeFileSync(inTheWay, '')
  const told: unknown[] = []
  let nowMs = NOON
  const log = new AccessLog({
    directory: inTheWay,
    log: { error: (fields: object) => told.push(fields) },
    now: () => nowMs,
  })
  for (const [lines, waitMs] of [
    [2, 0],
    [3, 59_000],
    [4, 60_000],
  ] as const) {
    nowMs = NOON + waitMs
    const before = log.lost
    for (let index = 0; index < lines; index += 1) log.write(CHAT)
    await until(() => log.lost === before + lines)
  }
  t.match(told, [{ lost: 2 }, { lost: 9 }])
  t.equal(told.length, 2)
  await log.close()
})

t.test('rotate goes on in a new file after somebody moved the old one', async (t) => {
  const directory = folder(t)
  const log = new AccessLog({ directory, log: silent(t), now: () => NOON })
  const current = join(directory, 'access-2026-11-21.jsonl')
  log.write({ ...CHAT, correlationId: 'old' })
  await until(() => readdirSync(directory).length === 1 && statSync(current).size > 0)
  renameSync(current, join(directory, 'moved'))
  log.rotate()
  log.write({ ...CHAT, correlationId: 'new' })
  await log.close()
  t.match(readFileSync(current, 'utf8'), '"correlationId":"new"')
  t.match(readFileSync(join(directory, 'moved'), 'utf8'), '"correlationId":"old"')
})

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}

t.test('R7.6 a pipe that nobody reads costs lines of standard output, but holds nobody up', async (t) => {
  const program = join(import.meta.dirname, 'write-to-stdout.ts')
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'close')
  let heard = ''
  child.stderr.on('data', (chunk: Buffer) => {
    heard += chunk.toString()
  })
  t.match(
    await eventually(
      () => heard,
      (all) => all.includes('written'),
    ),
    /written/,
    'all went on while the pipe was full',
  )
  const lines = (await text(child.stdout)).trimEnd().split('\n')
  await ended
  const [, lost = ''] = /lost (\d+) of 20000/.exec(heard) ?? []
  t.equal(lines.length + Number(lost), 20_000, 'each line is written or counted as lost')
  t.ok(lines.every((line) => line.startsWith('{"time":"2026-11-21T') && line.endsWith('}')))
})

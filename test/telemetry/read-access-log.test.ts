import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type AccessLine, AccessLineWriter } from '#telemetry/access-line.ts'
import { type AccessLogFilter, readAccessLog } from '#telemetry/read-access-log.ts'
import type { RequestEvent } from '#telemetry/request-event.ts'
import { summarizeAccessLog } from '#telemetry/summarize-access-log.ts'
import { CHAT } from './request-events.ts'

const EVENTS: readonly Partial<RequestEvent>[] = [
  { startedAtMs: Date.UTC(2026, 10, 20, 23, 59, 59), correlationId: '1' },
  { startedAtMs: Date.UTC(2026, 10, 21, 0, 0, 0), correlationId: '2', client: 'app-2', status: 429 },
  {
    startedAtMs: Date.UTC(2026, 10, 21, 10),
    correlationId: '3',
    provider: 'anthropic',
    account: 'c',
    costPicoUsd: undefined,
  },
  {
    startedAtMs: Date.UTC(2026, 10, 22, 10),
    correlationId: '4',
    status: 499,
    usage: undefined,
    costPicoUsd: undefined,
  },
]

function folder(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'korproxy-access-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  for (const event of EVENTS) {
    const line = new AccessLineWriter().write({ ...CHAT, ...event })
    const day = new Date(event.startedAtMs ?? CHAT.startedAtMs).toISOString().slice(0, 10)
    appendFileSync(join(directory, `access-${day}.jsonl`), line)
  }
  return directory
}

function nothingSkipped(file: string, lineNumber: number): void {
  throw new Error(`${file}:${lineNumber}`)
}

async function found(directory: string, filter: AccessLogFilter): Promise<string[]> {
  const lines: AccessLine[] = []
  for await (const line of readAccessLog(directory, filter, nothingSkipped)) lines.push(line)
  return lines.map(({ correlationId }) => correlationId)
}

t.test('R7.6 the access log is filtered by key, provider, account, status and time', async (t) => {
  const directory = folder(t)
  t.strictSame(await found(directory, {}), ['1', '2', '3', '4'])
  t.strictSame(await found(directory, { client: 'app-2' }), ['2'])
  t.strictSame(await found(directory, { provider: 'anthropic' }), ['3'])
  t.strictSame(await found(directory, { account: 'a', status: '200' }), ['1'])
  t.strictSame(await found(directory, { status: '4xx' }), ['2', '4'])
  t.strictSame(await found(directory, { correlationId: '3' }), ['3'])
  t.strictSame(
    await found(directory, { fromMs: Date.UTC(2026, 10, 21), toMs: Date.UTC(2026, 10, 21, 10) }),
    ['2'],
    'from inclusive, to exclusive',
  )
})

t.test('a request that ends after midnight stands in the next file and is still found by its arrival', async (t) => {
  const directory = folder(t)
  const line = new AccessLineWriter().write({
    ...CHAT,
    startedAtMs: Date.UTC(2026, 10, 21, 23, 59),
    correlationId: 'late',
  })
  appendFileSync(join(directory, 'access-2026-11-22.jsonl'), line)
  const day = { fromMs: Date.UTC(2026, 10, 21), toMs: Date.UTC(2026, 10, 22) }
  t.strictSame(await found(directory, day), ['2', '3', 'late'])
})

t.test('a line that was cut off is told and hides no other', async (t) => {
  const directory = folder(t)
  writeFileSync(join(directory, 'access-2026-11-19.jsonl'), '{"time":"2026-11-19T\n42\n')
  const skipped: string[] = []
  let lines = 0
  for await (const _line of readAccessLog(directory, {}, (file, number) => skipped.push(`${file}:${number}`)))
    lines += 1
  t.equal(lines, 4)
  t.strictSame(skipped, ['access-2026-11-19.jsonl:1', 'access-2026-11-19.jsonl:2'])
})

t.test('R7.6 lines are summed by account, day or client; a cost that is not known is counted, not zero', async (t) => {
  const directory = folder(t)
  t.strictSame(await summarizeAccessLog(readAccessLog(directory, {}, nothingSkipped), 'account'), [
    {
      key: 'a',
      requests: 3,
      failures: 1,
      inputTokens: 2000,
      outputTokens: 100,
      unpriced: 0,
      cost: '0.005000000002',
      averageLatencyMs: 1200,
    },
    {
      key: 'c',
      requests: 1,
      failures: 0,
      inputTokens: 1000,
      outputTokens: 50,
      unpriced: 1,
      cost: '0',
      averageLatencyMs: 1200,
    },
  ])
  const byDay = await summarizeAccessLog(readAccessLog(directory, {}, nothingSkipped), 'day')
  t.strictSame(
    byDay.map(({ key, requests }) => [key, requests]),
    [
      ['2026-11-21', 2],
      ['2026-11-20', 1],
      ['2026-11-22', 1],
    ],
  )
})

import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { findProvider } from '#providers/find-provider.ts'
import type { ReplyHeaders } from '#providers/provider.ts'
import type { ProviderName } from '#table/routing-table.ts'
import { account } from './account.ts'

const FOLDER = new URL('./failures/', import.meta.url)
/** 2026-11-21 20:00 UTC: noon in California, with twelve hours of the day left. */
const NOW_MS = Date.UTC(2026, 10, 21, 20, 0, 0)

/** Failed replies of one provider, in the words that its documentation or its users give. */
interface Failures {
  readonly provider: ProviderName
  readonly preset?: string
  readonly cases: readonly FailureCase[]
}

interface FailureCase {
  readonly name: string
  readonly status: number
  readonly headers?: ReplyHeaders
  readonly body: unknown
  /** `outcome code`, with the wait (ms), scope, reason or status where the outcome has one. */
  readonly verdict: string
}

function verdictOf({ provider, preset }: Failures, { status, headers = {}, body }: FailureCase): string {
  const speaker = findProvider(account(provider, preset === undefined ? {} : { preset }))
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const { outcome, code, status: kept } = speaker.classifyFailure({ status, headers, body: text }, NOW_MS)
  const { kind, ...details } = outcome
  const told = Object.values(details).map((value) => (value === undefined ? '' : ` ${value}`))
  return `${kind}${told.join('')} ${code}${kept === undefined ? '' : ` status ${kept}`}`
}

for (const file of readdirSync(FOLDER)) {
  // The files are written by hand in this form.
  const failures = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as Failures
  t.test(`R2.3 R8.2 ${failures.preset ?? failures.provider}: what each failure means`, (t) => {
    for (const each of failures.cases) t.equal(verdictOf(failures, each), each.verdict, each.name)
    t.end()
  })
}

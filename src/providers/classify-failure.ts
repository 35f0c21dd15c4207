import type { ErrorCode } from '#errors/registry.ts'
import type { Outcome } from '#table/outcome.ts'
import type { FailedReply, Failure } from './provider.ts'
import { readRetryAfter } from './retry-after.ts'

/** A provider's error in its own words, read from the body. */
export interface ProviderError {
  /** `code`, `type` or `status` of the body; several joined by spaces where a provider gives several. */
  readonly words: string
  readonly message: string
  /** Wait that stands in the body instead of a header, ms. */
  readonly retryAfterMs?: number | undefined
}

/** How a provider says what went wrong. Patterns are tried on `words` and message; each has a standard that fits OpenAI's manner. */
export interface FailureDialect {
  readError(body: string): ProviderError
  /** No credit, plan or daily quota left: minutes do not help. */
  readonly quota?: RegExp
  readonly rateLimit?: RegExp
  readonly overloaded?: RegExp
  readonly badCredential?: RegExp
  readonly contextLength?: RegExp
  readonly contentFilter?: RegExp
  readonly modelNotFound?: RegExp
}

const STANDARD = {
  quota:
    /insufficient_quota|exceeded your current quota|billing|credit balance|usage_limit_reached|arrearage|spend(?:ing)? limit|payment required/i,
  rateLimit: /rate_limit|rate limit|throttling|too many requests|resource_exhausted/i,
  overloaded: /overloaded|model is (?:currently )?(?:loading|busy)|capacity|server_busy|engine_overloaded/i,
  badCredential:
    /invalid_api_key|incorrect api key|api_key_invalid|authentication_error|invalid authentication|unauthorized|tos_violation/i,
  contextLength:
    /context_length_exceeded|maximum context length|prompt is too long|exceeds? the (?:maximum number of tokens|context window|model's context)|context window|range of input length|input token count .* exceeds|exceed context limit|input is too long/i,
  contentFilter: /content_filter|content_policy|content policy|responsible ai|moderation|datainspectionfailed|flagged/i,
  modelNotFound: /model_not_found|model .*(?:does not exist|not found|is not supported)|no such model|unknown model/i,
} as const

interface Facts {
  readonly status: number
  readonly text: string
  readonly waitMs: number | undefined
  readonly dialect: FailureDialect
}

type Verdict = Pick<Failure, 'outcome' | 'code'> & { readonly keepStatus?: true }

/** The first that recognises its case decides; the order is the specification. */
const CASES: readonly ((facts: Facts) => Verdict | undefined)[] = [
  contextTooLong,
  contentRefused,
  quotaExhausted,
  overloaded,
  rateLimited,
  badCredential,
  modelNotFound,
  requestTooLarge,
  requestRefused,
  serverError,
]

/** Reads a failed reply into an outcome and the client's error, by the provider's dialect. */
export function classifyFailure(dialect: FailureDialect, reply: FailedReply, nowMs: number): Failure {
  const error = dialect.readError(reply.body)
  const facts: Facts = {
    status: reply.status,
    text: `${error.words} ${error.message}`,
    waitMs: readRetryAfter(reply.headers, nowMs) ?? error.retryAfterMs,
    dialect,
  }
  for (const recognise of CASES) {
    const verdict = recognise(facts)
    if (verdict === undefined) continue
    return {
      outcome: verdict.outcome,
      code: verdict.code,
      message: scrub(error.message) || `HTTP ${reply.status}`,
      providerCode: error.words === '' ? undefined : error.words.slice(0, 100),
      status: verdict.keepStatus === true ? reply.status : undefined,
    }
  }
  return unexpected(facts, error)
}

function says({ text, dialect }: Facts, word: keyof typeof STANDARD): boolean {
  return (dialect[word] ?? STANDARD[word]).test(text)
}

function contextTooLong(facts: Facts): Verdict | undefined {
  const possible = facts.status === 400 || facts.status === 413 || facts.status === 422
  if (!possible || !says(facts, 'contextLength')) return undefined
  return refused('context-length', 'KP-PROV-105')
}

function contentRefused(facts: Facts): Verdict | undefined {
  const possible = facts.status === 400 || facts.status === 403 || facts.status === 422
  if (!possible || !says(facts, 'contentFilter')) return undefined
  return refused('content-filter', 'KP-PROV-106')
}

function quotaExhausted(facts: Facts): Verdict | undefined {
  const possible = facts.status === 402 || ([400, 403, 429].includes(facts.status) && says(facts, 'quota'))
  if (!possible) return undefined
  return { outcome: { kind: 'quota-exhausted', retryAfterMs: facts.waitMs }, code: 'KP-PROV-108' }
}

function overloaded(facts: Facts): Verdict | undefined {
  const byStatus = facts.status === 529 || facts.status === 503
  if (!byStatus && !(facts.status >= 429 && says(facts, 'overloaded'))) return undefined
  return { outcome: { kind: 'overloaded', retryAfterMs: facts.waitMs }, code: 'KP-PROV-107' }
}

function rateLimited(facts: Facts): Verdict | undefined {
  if (facts.status !== 429) return undefined
  const scope = /\bmodel\b/i.test(facts.text) ? 'model' : 'account'
  return { outcome: { kind: 'rate-limited', retryAfterMs: facts.waitMs, scope }, code: 'KP-PROV-110' }
}

function badCredential(facts: Facts): Verdict | undefined {
  const byStatus = facts.status === 401 || facts.status === 403
  if (!byStatus && !(facts.status === 400 && says(facts, 'badCredential'))) return undefined
  return { outcome: { kind: 'bad-credential' }, code: 'KP-PROV-102' }
}

function modelNotFound(facts: Facts): Verdict | undefined {
  if (facts.status !== 404 && !(facts.status === 400 && says(facts, 'modelNotFound'))) return undefined
  return { outcome: { kind: 'model-not-found' }, code: 'KP-PROV-103' }
}

function requestTooLarge({ status }: Facts): Verdict | undefined {
  return status === 413 ? { ...refused('too-large', 'KP-PROV-104'), keepStatus: true } : undefined
}

function requestRefused({ status }: Facts): Verdict | undefined {
  const isRequestFault = status >= 400 && status < 500 && status !== 408 && status !== 409 && status !== 425
  return isRequestFault ? { ...refused('invalid', 'KP-PROV-104'), keepStatus: true } : undefined
}

function serverError({ status }: Facts): Verdict | undefined {
  if (status < 400) return undefined
  return { outcome: { kind: 'server-error', status }, code: 'KP-PROV-100' }
}

function refused(reason: Extract<Outcome, { kind: 'refused' }>['reason'], code: ErrorCode): Verdict {
  return { outcome: { kind: 'refused', reason }, code }
}

/** A redirect, or a success where none was meant: destinations come from configuration, so it is never followed. */
function unexpected({ status }: Facts, error: ProviderError): Failure {
  return {
    outcome: { kind: 'server-error', status },
    code: 'KP-PROV-100',
    message: `unexpected status ${status}`,
    providerCode: error.words === '' ? undefined : error.words.slice(0, 100),
    status: undefined,
  }
}

/** Providers quote parts of keys and account ids in their messages. */
function scrub(message: string): string {
  return message
    .replaceAll(/\b(?:sk|kp|AIza|gsk|xai|key|org|proj|acct|user|req)[-_][A-Za-z0-9*_.-]{4,}/g, '***')
    .replaceAll(/\bBearer\s+\S+/gi, 'Bearer ***')
    .replaceAll(/([?&](?:key|api_key)=)[^&\s]+/g, '$1***')
    .slice(0, 2_000)
}

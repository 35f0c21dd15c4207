import type { ErrorCode } from '#errors/registry.ts'
import type { Outcome } from '#table/outcome.ts'
import type { FailedReply, Failure, RequestFault } from './provider.ts'
import { readRetryAfter, readSpokenWait } from './retry-after.ts'

/** A provider's error in its own words, read from the body. */
export interface ProviderError {
  /** `code`, `type` or `status` of the body; several joined by spaces where a provider gives several. */
  readonly words: string
  readonly message: string
  /** Wait that stands in the body instead of a header, ms. */
  readonly retryAfterMs?: number | undefined
  /** Whose limit or quota it is, where the body tells. */
  readonly scope?: 'account' | 'model' | undefined
  readonly fault?: RequestFault
}

/** How a provider says what went wrong. Patterns are tried on `words` and message; each has a standard that fits OpenAI's manner. */
export interface FailureDialect {
  readError(body: string, nowMs: number): ProviderError
  /** No credit, plan or daily quota left: minutes do not help. */
  readonly quota?: RegExp
  readonly rateLimit?: RegExp
  /** In the `words` of a 429: a limit of a minute, whatever the message says of quotas and plans. */
  readonly rateLimitCode?: RegExp
  /** Whose rate limits are, where the provider counts all of them alike. Absent = as the reply tells. */
  readonly rateLimitScope?: 'model'
  readonly overloaded?: RegExp
  readonly badCredential?: RegExp
  readonly contextLength?: RegExp
  readonly contentFilter?: RegExp
  readonly modelNotFound?: RegExp
  /** Thinking of earlier turns that somebody else signed, or that is missing. */
  readonly foreignThinking?: RegExp
}

const STANDARD = {
  quota:
    /insufficient_quota|exceeded your current quota|billing|credit[ _]balance|insufficient balance|usage_limit_(?:reached|exceeded)|arrearage|freetieronly|free-models-per-day|spend(?:ing)?[ _]limit|payment required/i,
  rateLimit: /rate_?limit|throttling|too_?many_?requests|resource_exhausted/i,
  // Not `rate_limit_error` and `throttling_error`, which are the types of every 429 of some.
  rateLimitCode: /rate_?limit_?(?:ed|exceeded|reached)|throttling(?!_error)|too_?many_?requests|slow_down/i,
  overloaded: /overloaded|model is (?:currently )?(?:loading|busy)|capacity|server_busy|engine_overloaded/i,
  badCredential:
    /invalid_api_key|incorrect api key|api_key_invalid|authentication_error|invalid authentication|unauthorized|tos_violation/i,
  contextLength:
    /context_length_exceeded|maximum context length|prompt is too long|exceeds? the (?:maximum number of tokens|context window|model's context)|context window|range of input length|input token count .* exceeds|exceed context limit|input is too long|maximum prompt length|exceed_context_size|available context size|prompt too long/i,
  contentFilter:
    /content_filter|content_policy|content policy|responsible ai|moderation|data_?inspection_?failed|(?:input|prompt|request|content) was flagged/i,
  modelNotFound:
    /model_not_found|model_decommissioned|model .*(?:does not exist|not exist|not found|is not supported)|no such model|unknown model|not a valid model/i,
  // Servers in front of others hand their words on, so that each may say any of them.
  foreignThinking:
    /invalid [`'"]?(?:signature|data)[`'"]? in [`'"]?(?:redacted_)?thinking|(?:thinking|redacted_thinking)[`'"]? blocks .*cannot be modified|expected [`'"]?thinking[`'"]? or|thinking\.signature|(?:corrupted|invalid) thought[_ ]signature|thought[_ ]signature is not valid|missing an? thought[_ ]?signature|invalid_encrypted_content|encrypted content .*(?:could not be (?:verified|decrypted)|did not match)/i,
} as const

interface Facts {
  readonly status: number
  readonly words: string
  /** Words and message, without addresses: a page named `billing` says nothing. */
  readonly text: string
  readonly waitMs: number | undefined
  /** The wait that the body names. */
  readonly bodyWaitMs: number | undefined
  readonly scope: ProviderError['scope']
  readonly dialect: FailureDialect
}

type Verdict = Pick<Failure, 'outcome' | 'code'> & { readonly keepStatus?: true }

/** The first that recognises its case decides; the order is the specification. */
const CASES: readonly ((facts: Facts) => Verdict | undefined)[] = [
  thinkingRefused,
  contextTooLong,
  contentRefused,
  quotaExhausted,
  overloaded,
  rateLimited,
  modelNotFound,
  badCredential,
  requestTooLarge,
  requestRefused,
  serverError,
]

/** Reads a failed reply into an outcome and the client's error, by the provider's dialect. */
export function classifyFailure(dialect: FailureDialect, reply: FailedReply, nowMs: number): Failure {
  const error = dialect.readError(reply.body, nowMs)
  const facts: Facts = {
    status: reply.status,
    words: error.words,
    text: `${error.words} ${error.message.replaceAll(/https?:\/\/\S+/g, '')}`,
    waitMs: readRetryAfter(reply.headers, nowMs) ?? error.retryAfterMs ?? readSpokenWait(error.message),
    bodyWaitMs: error.retryAfterMs,
    scope: error.scope,
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
      ...(verdict.outcome.kind === 'refused' && error.fault !== undefined && { fault: scrubFault(error.fault) }),
    }
  }
  return unexpected(facts, error)
}

function says({ text, dialect }: Facts, word: keyof typeof STANDARD): boolean {
  return (dialect[word] ?? STANDARD[word]).test(text)
}

function thinkingRefused(facts: Facts): Verdict | undefined {
  if (facts.status !== 400 || !says(facts, 'foreignThinking')) return undefined
  return { ...refused('foreign-thinking', 'KP-PROV-104'), keepStatus: true }
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
  const { status, waitMs, bodyWaitMs, scope = 'account' } = facts
  const possible = status === 402 || ([400, 403, 429].includes(status) && says(facts, 'quota'))
  if (!possible || hasRateLimitCode(facts)) return undefined
  // A header beside a quota may be that of the minute.
  const retryAfterMs = bodyWaitMs === undefined ? waitMs : Math.max(bodyWaitMs, waitMs ?? 0)
  return { outcome: { kind: 'quota-exhausted', retryAfterMs, scope }, code: 'KP-PROV-108' }
}

/** Providers advertise their plans and billing pages in the messages of ordinary rate limits. */
function hasRateLimitCode({ status, words, dialect }: Facts): boolean {
  return status === 429 && (dialect.rateLimitCode ?? STANDARD.rateLimitCode).test(words)
}

function overloaded(facts: Facts): Verdict | undefined {
  const byStatus = facts.status === 529 || facts.status === 503
  if (!byStatus && !(facts.status >= 429 && says(facts, 'overloaded'))) return undefined
  return { outcome: { kind: 'overloaded', retryAfterMs: facts.waitMs }, code: 'KP-PROV-107' }
}

/** What a provider says of the limit of one model. */
const OF_A_MODEL = /\bmodel\b|PerModel|(?:rate limit reached|request too large) for \S+ in organization/i

function rateLimited(facts: Facts): Verdict | undefined {
  const { status, dialect, words } = facts
  const bySaying = (status === 400 || status === 403) && (dialect.rateLimit ?? STANDARD.rateLimit).test(words)
  if (status !== 429 && !bySaying) return undefined
  const told = OF_A_MODEL.test(facts.text) ? 'model' : 'account'
  const scope = facts.scope ?? dialect.rateLimitScope ?? told
  return { outcome: { kind: 'rate-limited', retryAfterMs: facts.waitMs, scope }, code: 'KP-PROV-110' }
}

function badCredential(facts: Facts): Verdict | undefined {
  const byStatus = facts.status === 401 || facts.status === 403
  if (!byStatus && !(facts.status === 400 && says(facts, 'badCredential'))) return undefined
  return { outcome: { kind: 'bad-credential' }, code: 'KP-PROV-102' }
}

/** The key is good, only not for this model. */
const NO_ACCESS = /model_not_found|not have access to (?:the )?model/i

function modelNotFound(facts: Facts): Verdict | undefined {
  const { status, text } = facts
  const bySaying = (status === 400 && says(facts, 'modelNotFound')) || (status === 403 && NO_ACCESS.test(text))
  if (status !== 404 && !bySaying) return undefined
  return { outcome: { kind: 'model-not-found' }, code: 'KP-PROV-103' }
}

function requestTooLarge({ status }: Facts): Verdict | undefined {
  return status === 413 ? { ...refused('too-large', 'KP-PROV-104'), keepStatus: true } : undefined
}

/**
 * A time-out, a conflict or an early request on the provider's side; a proxy that wants its own credential, a server that is the wrong
 * one; and a call that somebody on the way cancelled (nginx, CANCELLED of Google).
 */
const NOT_OF_THE_REQUEST: ReadonlySet<number> = new Set([407, 408, 409, 421, 425, 499])

function requestRefused({ status }: Facts): Verdict | undefined {
  const isRequestFault = status >= 400 && status < 500 && !NOT_OF_THE_REQUEST.has(status)
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

function scrubFault(fault: RequestFault): RequestFault {
  return fault.parameter === undefined ? fault : { ...fault, parameter: scrub(fault.parameter) }
}

/** Providers quote parts of keys and account ids in their messages. */
function scrub(message: string): string {
  return (
    message
      .replaceAll(/\b(?:sk|kp|kpm|gsk|xai|pplx|nvapi|hf|sess)[-_][A-Za-z0-9*_.-]{4,}/g, '***')
      .replaceAll(/\bAIza[A-Za-z0-9_-]{8,}/g, '***')
      .replaceAll(/\bya29\.[A-Za-z0-9._-]+/g, '***')
      .replaceAll(/\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)?/g, '***')
      // Ids have a digit; `user_location` is a field.
      .replaceAll(/\b(?:key|org|proj|acct|user|req)[-_](?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{6,}/g, '***')
      .replaceAll(/\bBearer\s+\S+/gi, 'Bearer ***')
      .replaceAll(/([?&](?:key|api_key)=)[^&\s]+/g, '$1***')
      .slice(0, 2_000)
  )
}

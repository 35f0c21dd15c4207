import type { CallContext } from '../call-context.ts'
import type { Failure, FailureKind, RenderedFailure } from '../failure-kind.ts'

type Row = readonly [status: number, message: string]

/** One text, no code: https://github.com/ollama/ollama/blob/main/docs/api.md */
const ROWS: Record<FailureKind, Row> = {
  bad_request: [400, 'invalid request'],
  unauthorized: [401, 'unauthorized'],
  missing_key: [401, 'unauthorized'],
  payment_required: [402, 'this model requires a subscription, upgrade for access'],
  forbidden: [403, 'forbidden'],
  not_found: [404, 'model not found'],
  request_timeout: [408, 'request timed out'],
  too_large: [413, 'http: request body too large'],
  unprocessable: [422, 'unprocessable'],
  rate_limited: [429, 'too many requests'],
  quota: [429, "you've reached your hourly usage limit, please upgrade to continue"],
  context_length: [400, 'the input length exceeds the context length'],
  content_filter: [400, 'content blocked'],
  server_error: [500, 'llama runner process has terminated: signal: killed'],
  bad_gateway: [502, 'bad gateway'],
  unavailable: [503, 'server busy, please try again.  maximum pending requests exceeded'],
  gateway_timeout: [504, 'timed out waiting for llama runner to start'],
  overloaded: [503, 'server busy, please try again.  maximum pending requests exceeded'],
}

export function ollamaFailure(failure: Failure, context: CallContext): RenderedFailure {
  const [status] = ROWS[failure.kind]
  const hinted = failure.kind === 'rate_limited' && failure.retryAfterS !== undefined && failure.retryAfterS > 0
  return {
    status: failure.status ?? status,
    headers: hinted ? { 'retry-after': String(Math.ceil(failure.retryAfterS ?? 0)) } : {},
    body: { error: ollamaErrorText(failure, context) },
  }
}

export function ollamaErrorText(failure: Failure, context: CallContext): string {
  if (failure.message !== undefined) return failure.message
  return failure.kind === 'not_found' ? `model '${context.modelName}' not found` : ROWS[failure.kind][1]
}

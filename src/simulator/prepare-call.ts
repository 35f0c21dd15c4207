import type { CallContext, Refusal, ReplyTuning } from './call-context.ts'
import { credentialOf, isBadKey } from './credential.ts'
import { ENDPOINTS } from './endpoints.ts'
import type { Failure } from './failure-kind.ts'
import { isMap, type JsonMap, parseJsonBytes, textOf } from './json-value.ts'
import { needsReply, replyOrders } from './play-script.ts'
import type { RecordedRequest } from './request-log.ts'
import { type Route, routeRequest } from './route.ts'
import { plainName } from './scenarios.ts'
import type { Script } from './script.ts'
import { type Candidate, paceOf } from './script-book.ts'
import type { SimulatorState } from './simulator-state.ts'
import { jsonReply, type Reply } from './wire-event.ts'

export interface RequestHead {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
}

export type PreparedCall =
  | { readonly kind: 'text'; readonly status: number; readonly text: string }
  | { readonly kind: 'play'; readonly script: Script; readonly context: CallContext; readonly reply: Reply }

const NO_REPLY = jsonReply({})
/** An address nobody serves is answered as OpenAI does. */
const FALLBACK_ROUTE: Route = { operation: 'models', dialect: 'openai', provider: 'openai', method: 'GET' }

/** A script that begins before the body is read. */
export function refuseEarly(
  state: SimulatorState,
  head: RequestHead,
  entry: RecordedRequest,
): PreparedCall | undefined {
  const route = routeRequest(head.url, head.headers) ?? FALLBACK_ROUTE
  const key = credentialOf(route.dialect, head.headers, head.url.searchParams)
  const script = state.scripts.takeEarly(candidateOf(head, key, undefined))
  if (script === undefined) return undefined
  state.log.countKey(entry, key)
  return { kind: 'play', script, context: contextOf(state, head, route, ''), reply: NO_REPLY }
}

/** Decides the whole answer: address, key, body, the provider's own checks, script, reply. */
export function prepareCall(state: SimulatorState, head: RequestHead, entry: RecordedRequest): PreparedCall {
  const { url, method, headers } = head
  const found = routeRequest(url, headers)
  const route = found ?? FALLBACK_ROUTE
  const key = credentialOf(route.dialect, headers, url.searchParams)
  state.log.countKey(entry, key)
  if (found === undefined && (url.pathname === '/' || url.pathname === '/api/hello')) {
    return { kind: 'text', status: 200, text: method === 'HEAD' ? '' : 'Ollama is running' }
  }
  const parsed = method === 'GET' ? {} : parseJsonBytes(entry.body)
  const body = isMap(parsed) ? parsed : {}
  const model = route.pathModel ?? textOf(body, 'model') ?? textOf(body, 'name') ?? ''
  entry.model = model === '' ? undefined : model
  const context = contextOf(state, head, route, model)
  const failure =
    (found === undefined ? unknownAddress(head) : undefined) ??
    checkAddress(head, route) ??
    checkCredential(state, key, context) ??
    checkBody(parsed, body, context)
  if (failure !== undefined) return { kind: 'play', script: [{ failure }], context, reply: NO_REPLY }
  return withScript(state, candidateOf(head, key, entry.model), { context, body, bytes: entry.body })
}

interface AcceptedCall {
  readonly context: CallContext
  readonly body: JsonMap
  readonly bytes: Uint8Array
}

function withScript(state: SimulatorState, candidate: Candidate, { context, body, bytes }: AcceptedCall): PreparedCall {
  const script = state.scripts.take(candidate) ?? [{ reply: {} }]
  const tuning: ReplyTuning = {
    chunks: state.chunks,
    gapMs: state.gapMs,
    ...paceOf(candidate.key, candidate.model),
    ...paceOfQuery(context.query),
    ...replyOrders(script),
  }
  const tuned = { ...context, tuning }
  if (!needsReply(script)) return { kind: 'play', script, context: tuned, reply: NO_REPLY }
  const { operation } = context
  const reply = operation === 'token' ? state.tokens.answer(bytes, tuned) : ENDPOINTS[operation].reply(body, tuned)
  return { kind: 'play', script, context: tuned, reply }
}

function paceOfQuery(query: URLSearchParams): ReplyTuning {
  const chunks = query.get('chunks')
  const gapMs = query.get('gapMs')
  return { ...(chunks === null ? {} : { chunks: Number(chunks) }), ...(gapMs === null ? {} : { gapMs: Number(gapMs) }) }
}

function candidateOf(head: RequestHead, key: string | undefined, model: string | undefined): Candidate {
  return { path: head.url.pathname, key, model, header: head.headers['x-mock-script'] }
}

function contextOf(state: SimulatorState, head: RequestHead, route: Route, model: string): CallContext {
  return {
    dialect: route.dialect,
    operation: route.operation,
    provider: route.provider,
    model,
    modelName: plainName(model),
    headers: head.headers,
    query: head.url.searchParams,
    nowMs: state.clock(),
    tuning: {},
    mintId: state.mintId,
  }
}

function unknownAddress({ method, url }: RequestHead): Failure {
  const message = `Invalid URL (${method} ${url.pathname})`
  return { kind: 'not_found', message, code: 'unknown_url' }
}

function checkAddress({ method, url }: RequestHead, route: Route): Failure | undefined {
  if (method !== route.method) {
    const message = `Not allowed to ${method} on ${url.pathname}.`
    return { kind: 'bad_request', status: 405, message, code: 'method_not_supported' }
  }
  const versionless = route.dialect === 'azure' && route.pathModel !== undefined && !url.searchParams.has('api-version')
  return versionless ? { kind: 'not_found', message: 'Resource not found', code: '404' } : undefined
}

/** Ollama on one's own machine asks for no key; OpenRouter's model list is public. */
function checkCredential(state: SimulatorState, key: string | undefined, context: CallContext): Failure | undefined {
  const { dialect, operation } = context
  if (dialect === 'oauth') return undefined
  if (key === undefined) {
    const open = dialect === 'ollama' || (dialect === 'openrouter' && (operation === 'models' || operation === 'model'))
    return open ? undefined : { kind: 'missing_key' }
  }
  return isBadKey(key) || !state.tokens.accepts(key, context.nowMs) ? { kind: 'unauthorized' } : undefined
}

function checkBody(parsed: unknown, body: JsonMap, context: CallContext): Failure | undefined {
  const { operation, modelName } = context
  if (operation === 'token') return undefined
  if (!isMap(parsed)) return { kind: 'bad_request', message: 'We could not parse the JSON body of your request.' }
  const listing = operation === 'models' || operation === 'key-info' || /^ollama-(tags|version|ps)$/.test(operation)
  if (modelName === '' && !listing && operation !== 'responses-tokens') {
    return { kind: 'bad_request', message: modelMissing(context), param: 'model' }
  }
  if (/^([\w.-]+\/)?(missing|no-such)/.test(modelName)) return { kind: 'not_found' }
  const refusal = ENDPOINTS[operation].check?.(body, context)
  return refusal === undefined ? undefined : failureOfRefusal(refusal)
}

function modelMissing(context: CallContext): string {
  if (context.dialect === 'anthropic') return 'model: Field required'
  return context.dialect === 'ollama' ? 'model is required' : 'you must provide a model parameter'
}

function failureOfRefusal({ message, param, code, kind }: Refusal): Failure {
  return { kind: kind ?? 'bad_request', message, param, code }
}

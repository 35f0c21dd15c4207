import type { ErrorCode } from '#errors/registry.ts'
import type { Problem } from '#resources/resource.ts'
import { unreachable } from './gateway-status.ts'
import { severityOf } from './load-configuration.ts'

const NO_KEY: ErrorCode = 'KP-AUTH-001'

export interface CheckResult {
  readonly check: string
  readonly result: 'ok' | 'failed' | 'skipped'
  readonly latencyMs: number
  /** What was found, in words. */
  readonly detail: string
  /** KP code that the gateway gave. */
  readonly code?: string
}

export interface SelfTestTarget {
  /** Without trailing slash. */
  readonly server: string
  /** Key of a GatewayClient, where the gateway needs one. */
  readonly key?: string
  /** Absent: the first that the gateway lists. */
  readonly model?: string
  readonly embeddingModel?: string
  readonly timeoutMs: number
}

interface Finding {
  readonly detail: string
  readonly verdict?: 'skipped'
}

class CheckFailed extends Error {
  readonly code: string | undefined

  constructor(message: string, options: { readonly code?: string | undefined; readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.code = options.code
  }
}

interface Models {
  readonly chat: string | undefined
  readonly embedding: string | undefined
}

/** Asks a gateway what a client would ask it, smallest requests only; each check stands for itself (R12.3). */
export async function selfTest(target: SelfTestTarget): Promise<readonly CheckResult[]> {
  const results = [
    await run('livez', () => checkStatus(target, '/livez')),
    await run('readyz', () => checkStatus(target, '/readyz')),
  ]
  let models: Models = { chat: target.model, embedding: target.embeddingModel }
  results.push(
    await run('models', async () => {
      const listed = await listModels(target)
      models = chooseModels(target, listed)
      return { detail: `${listed.length} listed` }
    }),
    await run('chat', () => checkChat(target, models.chat)),
    await run('streaming', () => checkStream(target, models.chat)),
    await run('embeddings', () => checkEmbeddings(target, models.embedding)),
    await run('error', () => checkError(target)),
  )
  return results
}

/** One failure for each part of a configuration that cannot be served; warnings pass. */
export function checkConfiguration(problems: readonly Problem[]): readonly CheckResult[] {
  // No account is a warning to a gateway that waits for some, and the end of a test.
  const faults = problems.filter((problem) => severityOf(problem) === 'error' || problem.code === 'KP-CONF-218')
  if (faults.length === 0) return [{ check: 'configuration', result: 'ok', latencyMs: 0, detail: 'no errors' }]
  return faults.map(({ code, position, path, message }) => {
    const place = position === undefined ? '' : `${position.file}:${position.line}:${position.column} `
    const detail = `${place}${path === '' ? '' : `${path}: `}${message}`
    return { check: 'configuration', result: 'failed', latencyMs: 0, detail, code }
  })
}

async function run(check: string, work: () => Promise<Finding>): Promise<CheckResult> {
  const startedAt = performance.now()
  const latencyMs = (): number => Math.round(performance.now() - startedAt)
  try {
    const { detail, verdict } = await work()
    return { check, result: verdict ?? 'ok', latencyMs: latencyMs(), detail }
  } catch (error) {
    if (!(error instanceof CheckFailed)) throw error
    const code = error.code === undefined ? {} : { code: error.code }
    return { check, result: 'failed', latencyMs: latencyMs(), detail: error.message, ...code }
  }
}

async function checkStatus(target: SelfTestTarget, path: string): Promise<Finding> {
  const reply = await send(target, path)
  const text = await reply.text()
  if (reply.status !== 200) throw new CheckFailed(`HTTP ${reply.status}: ${text.slice(0, 200)}`)
  return { detail: `HTTP ${reply.status}` }
}

async function listModels(target: SelfTestTarget): Promise<string[]> {
  const body = await expectJson(await send(target, '/v1/models'))
  const data = field(body, 'data')
  if (!Array.isArray(data)) throw new CheckFailed('the list of models has no data')
  return data.flatMap((model) => {
    const id = field(model, 'id')
    return typeof id === 'string' ? [id] : []
  })
}

function chooseModels(target: SelfTestTarget, listed: readonly string[]): Models {
  const embeds = (name: string): boolean => /embed/i.test(name)
  return {
    chat: target.model ?? listed.find((name) => !embeds(name)),
    embedding: target.embeddingModel ?? listed.find(embeds),
  }
}

async function checkChat(target: SelfTestTarget, model: string | undefined): Promise<Finding> {
  // A test without a single real call says nothing about the accounts.
  if (model === undefined) throw new CheckFailed('no chat model is listed; name one with --model')
  const reply = await send(target, '/v1/chat/completions', chatBody(model))
  const choices = field(await expectJson(reply), 'choices')
  if (!Array.isArray(choices) || choices.length === 0) throw new CheckFailed('the answer has no choices')
  return { detail: `${model} answered, ${route(reply)}` }
}

async function checkStream(target: SelfTestTarget, model: string | undefined): Promise<Finding> {
  if (model === undefined) return { verdict: 'skipped', detail: 'no chat model is listed; name one with --model' }
  const reply = await send(target, '/v1/chat/completions', { ...chatBody(model), stream: true })
  if (reply.status !== 200) await failWith(reply)
  const text = await reply.text()
  const events = text.split('\n\n').filter((event) => event.startsWith('data: '))
  if (events.at(-1) !== 'data: [DONE]') throw new CheckFailed('the stream ended without its terminator')
  if (!events.some((event) => event.includes('"finish_reason":"')))
    throw new CheckFailed('the stream has no finish reason')
  return { detail: `${events.length - 1} events, ${route(reply)}` }
}

async function checkEmbeddings(target: SelfTestTarget, model: string | undefined): Promise<Finding> {
  if (model === undefined)
    return { verdict: 'skipped', detail: 'no embedding model is listed; name one with --embedding-model' }
  const reply = await send(target, '/v1/embeddings', { model, input: 'KorProxy' })
  const data = field(await expectJson(reply), 'data')
  const vector = Array.isArray(data) ? field(data[0], 'embedding') : undefined
  if (vector === undefined) throw new CheckFailed('the answer has no embedding')
  return { detail: `${model} answered, ${route(reply)}` }
}

/** A request without a model must be refused, with a code and a correlation id. */
async function checkError(target: SelfTestTarget): Promise<Finding> {
  const reply = await send(target, '/v1/chat/completions', { messages: [] })
  await reply.body?.cancel()
  const code = reply.headers.get('x-korproxy-error')
  if (reply.status !== 400 || code === null) {
    throw new CheckFailed(`a request without a model got HTTP ${reply.status} and code ${code ?? 'none'}`)
  }
  if (reply.headers.get('x-correlation-id') === null) throw new CheckFailed('the error has no correlation id')
  return { detail: `refused as it must be: ${code}` }
}

function chatBody(model: string): Record<string, unknown> {
  return { model, messages: [{ role: 'user', content: 'Say yes.' }], max_tokens: 16 }
}

async function send(target: SelfTestTarget, path: string, body?: unknown): Promise<Response> {
  try {
    return await fetch(target.server + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(target.key === undefined ? {} : { authorization: `Bearer ${target.key}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(target.timeoutMs),
    })
  } catch (cause) {
    const { code, message } = unreachable(target.server, cause)
    throw new CheckFailed(message, { code, cause })
  }
}

async function expectJson(reply: Response): Promise<unknown> {
  if (reply.status !== 200) return failWith(reply)
  return reply.json()
}

async function failWith(reply: Response): Promise<never> {
  const text = await reply.text()
  const message = /"message":\s*("(?:[^"\\]|\\.)*")/.exec(text)?.[1]
  const words = message === undefined ? text.slice(0, 200) : String(JSON.parse(message))
  const code = reply.headers.get('x-korproxy-error') ?? undefined
  const hint = code === NO_KEY ? ' Give the key of a client with --key.' : ''
  throw new CheckFailed(`HTTP ${reply.status}: ${words}${hint}`, { code })
}

/** Which way the answer came, from the gateway's own headers. */
function route({ headers }: Response): string {
  const group = headers.get('x-korproxy-provider-group') ?? '?'
  return `by account ${headers.get('x-korproxy-account') ?? '?'} of group ${group}`
}

function field(value: unknown, name: string): unknown {
  // Any object may be asked for a field that it lacks.
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
}
